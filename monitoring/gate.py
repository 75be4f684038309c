"""The gate of the monitor service: closed but for /health, and no body beyond its limit."""

import base64
import binascii
import hmac
import logging
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bento.problems import failed, problem, unauthorised

logger = logging.getLogger("monitoring")

MAX_BODY_BYTES = 2**20
PUBLIC = frozenset({"/health"})
METRICS, ALERTS = "/metrics", "/alerts"
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass(frozen=True)
class Tokens:
    """Who may do what: Prometheus reads metrics, Alertmanager sends alerts, people read the pages."""

    metrics: str = field(repr=False)
    alerts: str = field(repr=False)
    reports: str = field(repr=False)


class BodyTooLargeError(Exception):
    """A body went beyond the limit while it was read."""


class Gate:
    """Pure ASGI. Programs show a bearer token. People may instead let their browser ask them for it as a password."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # there are none
                await send({"type": "websocket.close", "code": 1008})
            return
        answer = _Answer(send)
        headers = dict(scope["headers"])
        refusal = self._refusal(scope["path"], headers)
        if not refusal and _announced_length(headers) > MAX_BODY_BYTES:
            refusal = _too_large()
        if refusal:
            await refusal(scope, receive, answer)
        else:
            await self._pass(scope, receive, answer)

    def _refusal(self, path: str, headers: dict[bytes, bytes]) -> ASGIApp | None:
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        scheme, shown = scheme.lower(), shown.strip()
        if path in PUBLIC:
            return None
        if path in (METRICS, ALERTS):
            expected = self._tokens.metrics if path == METRICS else self._tokens.alerts
            if scheme == b"bearer" and hmac.compare_digest(shown, expected.encode()):
                return None
            return unauthorised("this path is for programs that know its token")
        password = _password(shown) if scheme == b"basic" else shown if scheme == b"bearer" else b""
        if hmac.compare_digest(password, self._tokens.reports.encode()):
            return None
        challenge = {"WWW-Authenticate": 'Basic realm="reports: any name, the token as password", charset="UTF-8"'}
        return problem(401, "the reports token is needed, as a bearer token or as a password", challenge)

    async def _pass(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                answer.muted = True  # frameworks make a 400 of whatever goes wrong while they read
                raise BodyTooLargeError
            return message

        refusal: ASGIApp | None = None
        try:
            await self._app(scope, bounded, answer)
        except BodyTooLargeError:
            pass
        except Exception:  # the last resort: the log knows, and the caller gets a document
            logger.exception("A request failed")
            refusal = failed()
        if answer.muted:
            answer.muted = False
            refusal = _too_large()
        if refusal and not answer.begun:
            await refusal(scope, receive, answer)


class _Answer:
    """Sends on, with the security headers, unless it is muted."""

    __slots__ = ("_send", "begun", "muted")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.muted = False
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if self.muted:
            return
        if message["type"] == "http.response.start":
            self.begun = True
            headers = list(message.get("headers", ()))
            own_policy = any(name == _POLICY[0] for name, _ in headers)
            message["headers"] = headers + _HEADERS + ([] if own_policy else [_POLICY])
        await self._send(message)


def _too_large() -> ASGIApp:
    return problem(413, f"the body may have at most {MAX_BODY_BYTES:,} bytes", {"Connection": "close"})


def _password(shown: bytes) -> bytes:
    try:
        return base64.b64decode(shown, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _announced_length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
