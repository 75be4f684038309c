"""The gate that every request passes: closed unless a path is public or the caller shows a valid token."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bento.metrics import Metrics
from bento.problems import failed, problem, unauthorised, unavailable
from bento.revocations import StaleError
from bento.tokens import TokenError
from ledger.callers import Caller

logger = logging.getLogger("bento.gate")

PUBLIC: Final = frozenset({
    "/", "/openapi.json", "/assets/swagger-ui-bundle.js", "/assets/swagger-ui.css", "/assets/page.js",
    "/health", "/livez", "/readyz", "/login", "/.well-known/jwks.json",
})  # fmt: skip
_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_OWN_POLICY: Final = frozenset({b"content-security-policy", b"cache-control"})  # which a page may set for itself


class BodyTooLargeError(Exception):
    """A body went beyond the limit while it was read."""


class Gate:
    """Pure ASGI. Refuses what has no business here before anything is read, and counts and times what passes.

    `machine_tokens` are for programs without a user: path -> what they must show as a bearer token.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        verify: Callable[[str], Caller],
        machine_tokens: dict[str, str],
        metrics: Metrics,
        max_body_bytes: int,
        max_in_flight: int,
        timeout_seconds: float,
    ) -> None:
        self._app = app
        self._verify = verify
        self._machine_tokens = machine_tokens
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._max_in_flight = max_in_flight
        self._timeout_seconds = timeout_seconds
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # there are none
                await send({"type": "websocket.close", "code": 1008})
            return
        started = perf_counter()
        answer = _Answer(send)
        self._in_flight += 1
        self._metrics.in_flight.inc()
        try:
            await self._admit(scope, receive, answer)
        finally:
            self._in_flight -= 1
            self._metrics.in_flight.dec()
            self._metrics.request(scope, answer.status, perf_counter() - started)

    async def _admit(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        path: str = scope["path"]
        headers = dict(scope["headers"])  # of repeated ones the last
        refusal: ASGIApp | None = None
        if self._in_flight > self._max_in_flight and path != "/livez":
            refusal = unavailable("too many requests at once")
        elif expected := self._machine_tokens.get(path):
            if not hmac.compare_digest(_bearer(headers).encode(), expected.encode()):
                refusal = unauthorised("this path is for programs that know its token")
        elif path not in PUBLIC:
            token = _bearer(headers) or headers.get(b"token", b"").decode("latin-1")
            try:
                if not token:
                    raise TokenError("a token is needed: POST /login gives one")
                scope["caller"] = self._verify(token)
            except TokenError as error:
                refusal = unauthorised(str(error))
            except StaleError as error:
                refusal = unavailable(str(error))
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
                    answer.muted = True  # frameworks make a 400 of whatever goes wrong while they read
                    raise BodyTooLargeError
            return message

        refusal: ASGIApp | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._app(scope, bounded, answer)
        except BodyTooLargeError:
            pass
        except TimeoutError:
            refusal = problem(504, f"not answered within {self._timeout_seconds:g} s")
        except Exception:  # the last resort: the log knows, and the caller gets a document
            logger.exception("Request to %s failed", self._metrics.route_of(scope))
            refusal = failed()
        if answer.muted:
            answer.muted = False
            refusal = self._too_large()
        if refusal and not answer.status:
            await refusal(scope, receive, answer)

    def _too_large(self) -> ASGIApp:
        return problem(413, f"the body may have at most {self._max_body_bytes:,} bytes", {"Connection": "close"})


class _Answer:
    """Sends on, with the security headers, unless it is muted. `status` 0: nothing was sent yet."""

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
            own = {name for name, _ in headers if name in _OWN_POLICY}
            message["headers"] = headers + [entry for entry in _HEADERS if entry[0] not in own]
        await self._send(message)


def _bearer(headers: dict[bytes, bytes]) -> str:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""


def _announced_length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
