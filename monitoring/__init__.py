"""What watches the service: the monitor service, Prometheus rules, dashboards."""
