"""The dashboard of the prediction service: requests, errors, times, load."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from monitoring.grafana.panels import HEIGHT, ORANGE, RED, YES_NO, About, Query, graph, number, page, quantile, states


def board() -> Dashboard:
    """Return the dashboard."""
    predict = '{route="/predict"}'
    now = [
        number(
            About(
                "Answers",
                "Whether the service answers GET /health (blackbox exporter) or, without an exporter, the scrape.",
                units.NoUnit,
            ),
            Query("min(instance:service:up)"),
            names=YES_NO,
        ),
        number(
            About("Model", "Name and version of the model in the service.", units.NoUnit),
            Query("model_info == 1", "{{name}} {{version}}"),
            show_name=True,
        ),
        number(
            About("Requests", "Requests a second over two minutes, with probes and scrapes.", units.RequestsPerSecond),
            Query("sum(rate(http_requests_total[2m]))"),
        ),
        number(
            About(
                "Errors",
                "Share of answers with status 500 or above in five minutes. Alert: over 5 %.",
                units.PercentUnit,
            ),
            Query("max(instance:http_request_errors:ratio5m)"),
            steps={0.01: ORANGE, 0.05: RED},
        ),
        number(
            About(
                "p99 of POST /predict",
                "99th percentile of the time to answer in five minutes. Alert: over 0.5 s.",
                units.Seconds,
            ),
            Query('max(route:http_request_duration_seconds:p99_5m{route="/predict"})'),
            steps={0.25: ORANGE, 0.5: RED},
        ),
        number(
            About("Alerts", "All alerts that fire now.", units.Short),
            Query('count(ALERTS{alertstate="firing"}) or vector(0)'),
            steps={1: RED},
        ),
    ]
    traffic = [
        graph(
            About("Requests by route and status", "Requests a second by route and status.", units.RequestsPerSecond),
            Query("sum by (route, status) (rate(http_requests_total[2m]))", "{{route}} {{status}}"),
            stacked=True,
        ),
        graph(
            About(
                "Errors by instance", "Share of answers with status 500 or above in five minutes.", units.PercentUnit
            ),
            Query("instance:http_request_errors:ratio5m", "{{job}} {{instance}}"),
        ),
        graph(
            About(
                "Time to answer POST /predict", "Percentiles over two minutes, for all workers together.", units.Seconds
            ),
            Query(quantile(0.5, matching=predict), "p50"),
            Query(quantile(0.95, matching=predict), "p95"),
            Query(quantile(0.99, matching=predict), "p99"),
        ),
        graph(
            About("p99 by route", "99th percentile of the time to answer over two minutes.", units.Seconds),
            Query(quantile(0.99, "route"), "{{route}}"),
        ),
    ]
    load = [
        graph(
            About(
                "In flight",
                "Requests in work. A worker accepts MAX_IN_FLIGHT (512) and answers 503 to more.",
                units.Short,
            ),
            Query("sum by (job) (http_requests_in_flight)", "{{job}}"),
            width=8,
        ),
        graph(
            About(
                "Queue",
                "Predictions that wait to be stored. Alert: over 2,000. A worker answers 503 from 5,000 on.",
                units.Short,
            ),
            Query("sum(ledger_records_waiting)", "waiting"),
            width=8,
        ),
        graph(
            About("Time that a probe takes", "GET /health and GET /readyz by the blackbox exporter.", units.Seconds),
            Query('probe_duration_seconds{job=~"health|ready"}', "{{job}}"),
            width=8,
        ),
        states(
            About(
                "Up, ready, database",
                "Health and readiness by probes. Database: no, if the service reports it away and is not ready.",
                units.NoUnit,
            ),
            Query('probe_success{job="health"}', "up"),
            Query('probe_success{job="ready"}', "ready"),
            Query('max by (instance) (ledger_up{job="predictions"} or probe_success{job="ready"})', "database"),
            names=YES_NO,
            height=HEIGHT,
        ),
        states(
            About("Alerts that fired", "Times at which each alert fired.", units.NoUnit),
            Query('max by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}"),
            names={1: ("firing", RED)},
            height=HEIGHT,
        ),
    ]
    return page(
        "product-types-service",
        "Service",
        "Requests, errors, time to answer, and load.",
        {"Now": now, "Requests": traffic, "Load": load},
    )
