"""Who may ask the monitor service: Prometheus, Alertmanager, and people.

People send the reports token, which reads the pages, or their own token of the prediction service. Reviewers and admins
may read; only admins may change something. A browser sends a password by itself, also with a request that another
site has made it send: so nothing is changed by the reports token or by any password.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request
from starlette.types import ASGIApp, Scope

from monitoring.users import User, Users, UsersAwayError, may_be_user_token
from web.authentication import Authentication, Headers, basic_password, bearer_token, same_secret
from web.gate import Confirm, Gate, Limits
from web.problems import problem, unauthorised, unavailable

PUBLIC = frozenset({"/health", "/livez", "/readyz"})
METRICS, ALERTS = "/metrics", "/alerts"
MAX_BODY_BYTES = 2**20  # of a webhook
LIMITS = Limits(
    body_bytes_of={ALERTS: MAX_BODY_BYTES},
    max_held_bytes=16 * MAX_BODY_BYTES,
    body_seconds=10,
    max_in_flight=64,
    anonymous_in_flight=16,
    timeout_seconds=150,  # more than a command of run.py may take
)
ADMIN: Final = "admin"
_READERS: Final = (ADMIN, "reviewer")
_UNCONFIRMED, _USER = "unconfirmed_token", "user"  # in the scope of a request
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="reports: any name, the token as password", charset="UTF-8"'}


@dataclass(frozen=True)
class Tokens:
    """The secret of each kind of client: Prometheus, Alertmanager, people who read the pages."""

    metrics: str = field(repr=False)
    alerts: str = field(repr=False)
    reports: str = field(repr=False)


def create_gate(app: ASGIApp, tokens: Tokens, users: Users) -> Gate:
    """Return the application behind its gate. People may send the reports token as a password too."""
    expected = tokens.reports.encode()

    def admit_people(scope: Scope, headers: Headers) -> ASGIApp | None:
        reads, given = scope["method"] == "GET", bearer_token(headers)
        if same_secret(given or basic_password(headers), expected):
            return None if reads else problem(403, "the reports token only reads: send the token of an admin")
        if may_be_user_token(given):
            scope[_UNCONFIRMED] = given
            return None
        if not reads:
            return unauthorised("the token of an admin is needed")
        return problem(401, "the token of a reviewer or an admin, or the reports token, is needed", _CHALLENGE)

    authentication = Authentication(PUBLIC, {METRICS: tokens.metrics, ALERTS: tokens.alerts}, admit_people)
    return Gate(app, authenticate=authentication, limits=LIMITS, confirm=_confirming(users))


def _confirming(users: Users) -> Confirm:
    async def confirm(scope: Scope, _: Headers) -> ASGIApp | None:
        """Find out whose the token of a request is, and whether that user may send it."""
        token = scope.pop(_UNCONFIRMED, None)
        if token is None:
            return None
        try:
            user = await users.find(token)
        except UsersAwayError as error:
            return unavailable(str(error))
        if user is None:
            return unauthorised("the token is not valid or has expired: log in again")
        allowed = _READERS if scope["method"] == "GET" else (ADMIN,)
        if user.role not in allowed:
            return problem(403, f"this needs the role {' or '.join(allowed)}")
        scope[_USER] = user
        return None

    return confirm


async def admin_of(request: Request) -> User:
    """Return the admin who sent a request; whoever else sent it gets a 403."""
    user: User | None = request.scope.get(_USER)
    if user is None or user.role != ADMIN:
        raise HTTPException(403, f"this needs the role {ADMIN}")
    return user


Admin = Annotated[User, Depends(admin_of)]
