"""Who may ask the monitor service: Prometheus, Alertmanager, and people who read the pages."""

from dataclasses import dataclass, field

from starlette.types import ASGIApp, Scope

from web.authentication import Authentication, Headers, basic_password, bearer_token, same_secret
from web.gate import Gate, Limits
from web.problems import problem

PUBLIC = frozenset({"/health", "/livez", "/readyz"})
METRICS, ALERTS = "/metrics", "/alerts"
MAX_BODY_BYTES = 2**20  # of a webhook
LIMITS = Limits(
    body_bytes_of={ALERTS: MAX_BODY_BYTES},
    max_held_bytes=16 * MAX_BODY_BYTES,
    body_seconds=10,
    max_in_flight=64,
    anonymous_in_flight=16,
    timeout_seconds=30,
)
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="reports: any name, the token as password", charset="UTF-8"'}


@dataclass(frozen=True)
class Tokens:
    """The secret of each kind of client: Prometheus, Alertmanager, people who read the pages."""

    metrics: str = field(repr=False)
    alerts: str = field(repr=False)
    reports: str = field(repr=False)


def create_gate(app: ASGIApp, tokens: Tokens) -> Gate:
    """Return the application behind its gate. People may send their token as a password, which a browser asks for."""
    expected = tokens.reports.encode()

    def admit_people(_: Scope, headers: Headers) -> ASGIApp | None:
        if same_secret(bearer_token(headers) or basic_password(headers), expected):
            return None
        return problem(401, "the reports token is needed, as a bearer token or as a password", _CHALLENGE)

    authentication = Authentication(PUBLIC, {METRICS: tokens.metrics, ALERTS: tokens.alerts}, admit_people)
    return Gate(app, authenticate=authentication, limits=LIMITS)
