"""The dashboard of auth: logins and refused requests."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from monitoring.grafana.panels import About, Query, bars, graph, page, quantile


def board() -> Dashboard:
    """Return the dashboard."""
    login = '{route="/login"}'
    attempts = [
        graph(
            About(
                "Logins",
                "Login attempts a minute. Throttled: refused without a check, after too many attempts.",
                units.CountsPerMinute,
            ),
            Query("60 * sum by (outcome) (rate(logins_total[2m]))", "{{outcome}}"),
        ),
        graph(
            About(
                "Refused logins", "Share of attempts in five minutes with a wrong name or password.", units.PercentUnit
            ),
            Query(
                'sum(increase(logins_total{outcome="refused"}[5m])) / (sum(increase(logins_total[5m])) > 0)', "refused"
            ),
        ),
        bars(
            About("Logins since the start", "Login attempts since the service was started.", units.Short),
            Query("sum by (outcome) (logins_total)", "{{outcome}}"),
        ),
        graph(
            About(
                "Time to log in", "Most of it is the password hash, which is slow on purpose (26 ms).", units.Seconds
            ),
            Query(quantile(0.5, matching=login), "p50"),
            Query(quantile(0.99, matching=login), "p99"),
        ),
    ]
    refusals = [
        graph(
            About(
                "401, 403 and 429",
                "401: no valid token. 403: not allowed for the role. 429: too many attempts.",
                units.RequestsPerSecond,
            ),
            Query('sum by (status) (rate(http_requests_total{status=~"401|403|429"}[2m]))', "{{status}}"),
        ),
        graph(
            About(
                "Refusals by route",
                "Refused requests by route. Unknown: no such route, or refused before the route was known.",
                units.RequestsPerSecond,
            ),
            Query(
                'sum by (route, status) (rate(http_requests_total{status=~"401|403|429"}[2m]))', "{{route}} {{status}}"
            ),
        ),
        graph(
            About("Users", "Requests to /users and /me by method and status.", units.RequestsPerSecond),
            Query(
                'sum by (method, route, status) (rate(http_requests_total{route=~"/users.*|/me"}[2m]))',
                "{{method}} {{route}} {{status}}",
            ),
            width=24,
        ),
    ]
    return page(
        "product-types-auth",
        "Auth",
        "Logins and refused requests, of the prediction service or of an auth service of its own.",
        {"Logins": attempts, "Refusals": refusals},
    )
