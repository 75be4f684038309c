"""Connections: how many there may be, how long one may wait, how long the head of a request may be, and how they end.

uvicorn limits none of these, and it cuts idle connections when it ends. `LimitedProtocol` takes the place of its own
protocol, which it extends.
"""

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from web.addresses import Network, client_address, is_in
from web.problems import RETRY_AFTER, problem
from web.settings import ServiceSettings

logger = logging.getLogger("web.connections")

PROTOCOL: Final = "web.connections:LimitedProtocol"  # as uvicorn imports it
_OTHER_FILES = 200  # that a process keeps open beside connections
_MOST, _FEWEST = 10_000, 50  # connections
_open_by_address: MutableMapping[ServerState, Counter[str]] = WeakKeyDictionary()


_leaving = False


def leave_gently() -> None:
    """Prepare the end of this server: from now on another process takes new connections from the same socket.

    When uvicorn ends it closes each connection that is idle. A request that is on its way then is lost, and the client
    sees a reset. After this call an idle connection stays: its next answer says that it is the last one
    (`Connection: close`), or the connection is closed when it has been idle for the usual time.
    """
    global _leaving
    _leaving = True


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one process allows. Connections from `exempt` addresses (proxies) count in all only."""

    in_all: int
    per_address: int
    exempt: tuple[Network, ...] = ()
    head_bytes: int = 64 * 2**10  # of request line and headers; also what a body may have beside its content
    head_seconds: float = 10  # from connecting, or from the first byte, to the end of the headers
    write_seconds: float = 30  # for a client to take what was sent


@cache
def limits_of_environment() -> ConnectionLimits:
    """Return the limits in the settings; by default as many connections as the limit of open files allows."""
    settings = ServiceSettings.from_environment()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = _MOST if files == resource.RLIM_INFINITY else min(max(files - _OTHER_FILES, _FEWEST), _MOST)
    return ConnectionLimits(
        in_all=min(settings.max_connections or possible, possible),
        per_address=settings.max_connections_per_address,
        exempt=settings.trusted_proxies,
        head_seconds=settings.head_timeout_seconds,
    )


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol within limits. A connection beyond them is answered 503, 408 or 431 and closed.

    WebSockets are not offered: they would leave this protocol.
    """

    limits: ClassVar[ConnectionLimits | None] = None  # None: those of the environment

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = self.limits or limits_of_environment()
        self._address: str | None = None  # under which the connection is counted
        self._head_begun = False
        self._received = self._content = 0  # bytes of the request: all, and those of its body
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and close it if there are too many."""
        super().connection_made(transport)
        scope: Scope = {"client": self.client, "headers": ()}
        if len(self.connections) > self._limits.in_all:
            self._refuse(503, "too many connections")
        elif not is_in(scope, self._limits.exempt):
            self._address = client_address(scope, ())
            counts = _open_by_address.setdefault(self.server_state, Counter())
            counts[self._address] += 1
            if counts[self._address] > self._limits.per_address:
                self._refuse(503, "too many connections from this address")
        if not transport.is_closing():
            self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        super().connection_lost(exc)
        self._stop_waiting()
        self.resume_writing()
        if self._address is not None:
            counts = _open_by_address[self.server_state]
            counts[self._address] -= 1
            if not counts[self._address]:
                del counts[self._address]
            self._address = None

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; refuse a head that is too long, and wait for one for a limited time."""
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._received - 2 * self._content > self._limits.head_bytes:
            self._refuse(431, f"the head of a request may have at most {self._limits.head_bytes:,} bytes")
        elif self._head_timer is None and (self._head_begun or self.cycle is None or self.cycle.response_complete):
            self._start_waiting()

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        super().on_message_begin()
        self._head_begun = True

    def on_headers_complete(self) -> None:
        """Called by the parser at the end of the headers."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._limits.head_bytes:
            raise ValueError("the head is too long")  # ends the parsing, which `send_400_response` answers
        self._head_begun = False
        self._stop_waiting()
        super().on_headers_complete()
        if _leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Called by the parser for each part of a body."""
        self._content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        self._received = self._content = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, or is too long."""
        if self._head_begun and self._received > self._limits.head_bytes:
            self._refuse(431, f"the head of a request may have at most {self._limits.head_bytes:,} bytes")
        else:
            self._refuse(400, "this is no valid HTTP request")

    def pause_writing(self) -> None:
        """Called when the client takes what is sent too slowly."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Called when the client has taken most of it."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def shutdown(self) -> None:
        """Called when the server ends."""
        if not _leaving or (self.cycle is not None and not self.cycle.response_complete):
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also of a client that has not taken the last answer."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _should_upgrade_to_ws(self) -> bool:
        return False

    def _unsupported_upgrade_warning(self) -> None:
        pass

    def _start_waiting(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.head_seconds, self._overdue)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _overdue(self) -> None:
        self._head_timer = None
        if self._head_begun:
            self._refuse(408, f"the head of the request did not arrive within {self._limits.head_seconds:g} s")
        self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer outside of a request, and close the connection."""
        logger.debug("A connection was refused: %s", detail)
        headers = {"Connection": "close"} | ({"Retry-After": str(RETRY_AFTER)} if status == 503 else {})
        answer = problem(status, detail, headers)
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        head += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
