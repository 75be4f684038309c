"""The gate in front of an application: authentication, limits, security headers, and an answer when all else fails."""

import asyncio
import logging
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.authentication import Authenticate, Headers
from web.problems import failed, problem, unavailable

logger = logging.getLogger("web.gate")

LIVENESS: Final = "/livez"  # is answered also when too many requests are in flight
UNKNOWN_ROUTE: Final = "unknown"
# Routers, proxies and logs each read a control character in their own way (a router takes `/a%0A` for `/a`).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
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
    """What one process accepts. None: no limit.

    Anonymous requests have limits of their own, so that they take nothing away from callers who have a token. Each
    public path has its own number of them, so that a flood of logins leaves the health checks alone.
    """

    max_body_bytes: int = 64 * 2**10  # of a path that `body_bytes_of` does not name
    body_bytes_of: Mapping[str, int] = field(default_factory=dict)  # path -> its limit
    anonymous_body_bytes: int = 8 * 2**10
    max_held_bytes: int | None = None  # of all bodies at the same time
    body_seconds: float | None = None  # in which a body must arrive
    max_in_flight: int | None = None  # requests whose bodies are there, at the same time
    anonymous_in_flight: int | None = None  # the same, for each public path
    timeout_seconds: float | None = None  # for the answer

    def body_bytes(self, path: str, *, anonymous: bool) -> int:
        """Return how long the body of a request may be."""
        if anonymous:
            return self.anonymous_body_bytes
        return self.body_bytes_of.get(path, self.max_body_bytes)


Confirm = Callable[[Scope, Headers], Awaitable[ASGIApp | None]]  # returns the refusal, or None


class RequestMetrics(Protocol):
    """Counts requests. `status` 0: the client went away before an answer."""

    def request_started(self) -> None:
        """Count a request in flight."""

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answered request and its time."""


class Gate:
    """Pure ASGI. Refuses a request before its body is read, where possible, and answers when the application fails.

    The application gets a request when its whole body is there. HEAD is answered as GET is; the server leaves the body
    out.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticate: Authenticate,
        limits: Limits,
        metrics: RequestMetrics | None = None,
        confirm: Confirm | None = None,
    ) -> None:
        """`confirm` decides about the requests that `authenticate` lets pass; it may ask another service."""
        self._app = app
        self._authenticate = authenticate
        self._confirm = confirm
        self._metrics = metrics
        self._limits = limits
        self._max_in_flight = math.inf if limits.max_in_flight is None else limits.max_in_flight
        self._anonymous_in_flight = math.inf if limits.anonymous_in_flight is None else limits.anonymous_in_flight
        self._max_held_bytes = math.inf if limits.max_held_bytes is None else limits.max_held_bytes
        self._in_flight: Counter[str] = Counter()  # by public path; all others together have the key ""
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # no service has any
                await send({"type": "websocket.close", "code": 1008})
            return
        started = perf_counter()
        answer = _Answer(send)
        method = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy, since the server looks at its own
        if self._metrics:
            self._metrics.request_started()
        try:
            await self._admit(scope, receive, answer)
        finally:
            if self._metrics:
                scope["method"] = method
                self._metrics.request_ended(scope, answer.status, perf_counter() - started)

    async def _admit(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        path: str = scope["path"]
        if _CONTROL.search(path):
            await problem(400, "the path has a control character")(scope, receive, answer)
            return
        headers = dict(scope["headers"])  # the last of repeated ones
        refusal = self._authenticate(scope, headers)
        if refusal is None and self._confirm is not None:
            refusal = await self._confirm(scope, headers)
        anonymous = scope.get("anonymous", False)
        most = self._limits.body_bytes(path, anonymous=anonymous)
        if not refusal and _announced_length(headers) > most:
            refusal = _too_large(most)
        if refusal:
            await refusal(scope, receive, answer)
            return
        body = _Body(receive, most)
        try:
            refusal = await self._receive(body) or self._no_slot(path, anonymous=anonymous)
            if refusal:
                await refusal(scope, receive, answer)
            elif not body.abandoned:
                await self._pass(scope, body.replay, answer, path if anonymous else "")
        finally:
            self._held_bytes -= body.size

    async def _receive(self, body: "_Body") -> ASGIApp | None:
        """Wait for a request's body. Return the refusal of one that is too long or too slow."""
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while not body.complete:
                    length = await body.read()
                    self._held_bytes += length
                    if body.size > body.most:
                        return _too_large(body.most)
                    if body.size and self._held_bytes > self._max_held_bytes:
                        return unavailable("too many bodies at once")
        except TimeoutError:
            return problem(408, f"the body did not arrive within {self._limits.body_seconds:g} s", _CLOSE)
        return None

    def _no_slot(self, path: str, *, anonymous: bool) -> ASGIApp | None:
        if path == LIVENESS:
            return None
        free = (
            self._in_flight[path] < self._anonymous_in_flight
            if anonymous
            else self._in_flight[""] < self._max_in_flight
        )
        return None if free else unavailable("too many requests at once")

    async def _pass(self, scope: Scope, receive: Receive, answer: "_Answer", slots: str) -> None:
        refusal: ASGIApp | None = None
        seconds = self._limits.timeout_seconds
        self._in_flight[slots] += 1
        try:
            async with asyncio.timeout(seconds) as time_limit:
                await self._app(scope, receive, answer)
        except Exception as error:  # the last resort: the log has the cause, and the client gets a document
            if isinstance(error, TimeoutError) and time_limit.expired():
                refusal = problem(504, f"not answered within {seconds:g} s")
            else:
                logger.exception("Request to %s failed", route_of(scope))
                refusal = failed()
        finally:
            self._in_flight[slots] -= 1
        if refusal and not answer.status:
            await refusal(scope, receive, answer)


class _Body:
    """The body of a request, as it arrives. `abandoned`: the client went away before its end."""

    __slots__ = ("_chunks", "_given", "_receive", "abandoned", "complete", "most", "size")

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._chunks: list[bytes] = []
        self._given = False
        self.most = most
        self.size = 0
        self.complete = self.abandoned = False

    async def read(self) -> int:
        """Wait for the next part and return its length."""
        message = await self._receive()
        self.abandoned = message["type"] == "http.disconnect"
        self.complete = self.abandoned or not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        self._chunks.append(part)
        self.size += len(part)
        return len(part)

    async def replay(self) -> Message:
        """Give the whole body to the application, and after it what the server says."""
        if self._given:
            return await self._receive()
        self._given = True
        return {"type": "http.request", "body": b"".join(self._chunks), "more_body": False}


class _Answer:
    """Adds the security headers to the answer and sends it. `status` 0: nothing was sent yet."""

    __slots__ = ("_send", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
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


_CLOSE: Final = {"Connection": "close"}  # what follows on the connection is the rest of the body


def _too_large(most: int) -> ASGIApp:
    return problem(413, f"the body may have at most {most:,} bytes", _CLOSE)


def _announced_length(headers: Headers) -> int:
    length = headers.get(b"content-length", b"")
    return int(length[:20]) if length.isdigit() else 0
