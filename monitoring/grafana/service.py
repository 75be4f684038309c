"""The prediction service as those who call it see it."""

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
                "Whether GET /health is answered, by the blackbox exporter; else by the scrape.",
                units.NoUnit,
            ),
            Query("min(instance:service:up)"),
            names=YES_NO,
        ),
        number(
            About("Serves", "Name and version of the model that answers.", units.NoUnit),
            Query("model_info == 1", "{{name}} {{version}}"),
            show_name=True,
        ),
        number(
            About(
                "Requests", "Requests a second over two minutes, probes and scrapes included.", units.RequestsPerSecond
            ),
            Query("sum(rate(http_requests_total[2m]))"),
        ),
        number(
            About("Errors", "Share of answers of 500 and above in five minutes. Alert: over 5 %.", units.PercentUnit),
            Query("max(instance:http_request_errors:ratio5m)"),
            steps={0.01: ORANGE, 0.05: RED},
        ),
        number(
            About("Slowest in a hundred", "p99 of POST /predict in five minutes. Alert: over 0.5 s.", units.Seconds),
            Query('max(route:http_request_duration_seconds:p99_5m{route="/predict"})'),
            steps={0.25: ORANGE, 0.5: RED},
        ),
        number(
            About("Alerts", "Alerts that fire now, whatever they are about.", units.Short),
            Query('count(ALERTS{alertstate="firing"}) or vector(0)'),
            steps={1: RED},
        ),
    ]
    traffic = [
        graph(
            About("Requests by route and status", "What was asked, and how it was answered.", units.RequestsPerSecond),
            Query("sum by (route, status) (rate(http_requests_total[2m]))", "{{route}} {{status}}"),
            stacked=True,
        ),
        graph(
            About("Errors by instance", "Share of answers of 500 and above, in five minutes.", units.PercentUnit),
            Query("instance:http_request_errors:ratio5m", "{{job}} {{instance}}"),
        ),
        graph(
            About("Time to answer POST /predict", "Quantiles over two minutes, of all workers.", units.Seconds),
            Query(quantile(0.5, matching=predict), "p50"),
            Query(quantile(0.95, matching=predict), "p95"),
            Query(quantile(0.99, matching=predict), "p99"),
        ),
        graph(
            About("p99 by route", "The slowest in a hundred, over two minutes.", units.Seconds),
            Query(quantile(0.99, "route"), "{{route}}"),
        ),
    ]
    load = [
        graph(
            About(
                "In flight", "Requests at work. A worker takes MAX_IN_FLIGHT (512) and answers 503 beyond.", units.Short
            ),
            Query("sum by (job) (http_requests_in_flight)", "{{job}}"),
            width=8,
        ),
        graph(
            About(
                "Queue",
                "Predictions that wait for their commit. Alert: over 2,000; a worker refuses at 5,000.",
                units.Short,
            ),
            Query("sum(ledger_records_waiting)", "waiting"),
            width=8,
        ),
        graph(
            About("Time that a probe takes", "GET /health and GET /readyz as anybody would ask.", units.Seconds),
            Query('probe_duration_seconds{job=~"health|ready"}', "{{job}}"),
            width=8,
        ),
        states(
            About(
                "Up, ready, database",
                "Health and readiness as probed. The database is away where the service says so and is not ready.",
                units.NoUnit,
            ),
            Query('probe_success{job="health"}', "up"),
            Query('probe_success{job="ready"}', "ready"),
            Query('max by (instance) (ledger_up{job="predictions"} or probe_success{job="ready"})', "database"),
            names=YES_NO,
            height=HEIGHT,
        ),
        states(
            About("Alerts that fired", "Each alert while it fired.", units.NoUnit),
            Query('max by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}"),
            names={1: ("firing", RED)},
            height=HEIGHT,
        ),
    ]
    return page(
        "product-types-service",
        "Service",
        "Requests, answers, time, and what they wait for.",
        {"Now": now, "Requests": traffic, "Load": load},
    )
