"""The gate in front of an application: authentication, limits, security headers, and an answer when all else fails."""

import asyncio
import logging
import math
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.authentication import Authenticate, Headers
from web.problems import failed, problem, unavailable

logger = logging.getLogger("web.gate")

LIVENESS: Final = "/livez"  # is answered also when too many requests are in flight
UNKNOWN_ROUTE: Final = "unknown"
_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_SET_BY_PAGES: Final = frozenset({b"content-security-policy", b"cache-control"})  # unless the application sets it


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process accepts. None: no limit."""

    max_body_bytes: int
    max_in_flight: int | None = None  # requests at the same time
    timeout_seconds: float | None = None


class RequestMetrics(Protocol):
    """Counts requests. `status` 0: the client went away before an answer."""

    def request_started(self) -> None:
        """Count a request in flight."""

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answered request and its time."""


class BodyTooLargeError(Exception):
    """A body exceeded the limit while it was read."""


class Gate:
    """Pure ASGI. Refuses a request before its body is read, where possible, and answers when the application fails."""

    def __init__(
        self, app: ASGIApp, *, authenticate: Authenticate, limits: Limits, metrics: RequestMetrics | None = None
    ) -> None:
        self._app = app
        self._authenticate = authenticate
        self._metrics = metrics
        self._max_body_bytes = limits.max_body_bytes
        self._max_in_flight = math.inf if limits.max_in_flight is None else limits.max_in_flight
        self._timeout_seconds = limits.timeout_seconds
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # no service has any
                await send({"type": "websocket.close", "code": 1008})
            return
        started = perf_counter()
        answer = _Answer(send)
        self._in_flight += 1
        if self._metrics:
            self._metrics.request_started()
        try:
            await self._admit(scope, receive, answer)
        finally:
            self._in_flight -= 1
            if self._metrics:
                self._metrics.request_ended(scope, answer.status, perf_counter() - started)

    async def _admit(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        headers = dict(scope["headers"])  # the last of repeated ones
        refusal: ASGIApp | None
        if self._in_flight > self._max_in_flight and scope["path"] != LIVENESS:
            refusal = unavailable("too many requests at once")
        else:
            refusal = self._authenticate(scope, headers)
        if not refusal and _announced_length(headers) > self._max_body_bytes:
            refusal = self._too_large()
        if refusal:
            await refusal(scope, receive, answer)
        else:
            await self._pass(scope, receive, answer)

    async def _pass(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self._max_body_bytes:
                    answer.muted = True  # frameworks answer 400 to any error while they read
                    raise BodyTooLargeError
            return message

        refusal: ASGIApp | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds) as time_limit:
                await self._app(scope, bounded, answer)
        except BodyTooLargeError:
            pass
        except Exception as error:  # the last resort: the log has the cause, and the client gets a document
            if isinstance(error, TimeoutError) and time_limit.expired():
                refusal = problem(504, f"not answered within {self._timeout_seconds:g} s")
            else:
                logger.exception("Request to %s failed", route_of(scope))
                refusal = failed()
        if answer.muted:
            answer.muted = False
            refusal = self._too_large()
        if refusal and not answer.status:
            await refusal(scope, receive, answer)

    def _too_large(self) -> ASGIApp:
        return problem(413, f"the body may have at most {self._max_body_bytes:,} bytes", {"Connection": "close"})


class _Answer:
    """Adds the security headers to the answer and sends it, unless it is muted. `status` 0: nothing was sent yet."""

    __slots__ = ("_send", "muted", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.muted = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if self.muted:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            own = {name for name, _ in headers if name in _SET_BY_PAGES}
            message["headers"] = headers + [entry for entry in _HEADERS if entry[0] not in own]
        await self._send(message)


def route_of(scope: Scope) -> str:
    """Return the template of the route that answers (`/users/{user}`), or `unknown`; never a raw path."""
    path = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
    return path if isinstance(path, str) else UNKNOWN_ROUTE


def _announced_length(headers: Headers) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
