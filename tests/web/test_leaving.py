"""Connections while their server ends: with another server on the same socket, no request is lost."""

import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tests.system.workspace import wait_for
from web import connections

Start = Callable[[socket.socket], uvicorn.Server]


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts servers on a listening socket, each in a thread."""
    monkeypatch.setattr(connections, "_leaving", False)
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def run(listener: socket.socket) -> uvicorn.Server:
        server = uvicorn.Server(
            uvicorn.Config(hello, log_level="error", lifespan="off", http=connections.LimitedProtocol)
        )
        thread = threading.Thread(target=server.run, args=([listener.dup()],))
        thread.start()
        servers.append((server, thread))
        wait_for("it has started", lambda: server.started)
        return server

    yield run
    for server, thread in servers:
        server.force_exit = server.should_exit = True
        thread.join()


def test_an_idle_connection_gets_one_more_answer_while_its_server_leaves(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        old = start(listener)
        with httpx.Client(base_url=address, trust_env=False) as client:
            assert "connection" not in client.get("/").headers
            connections.leave_gently()
            old.should_exit = True
            wait_for("it accepts no more", lambda: not any(server.is_serving() for server in old.servers))
            start(listener)
            assert client.get("/").headers["connection"] == "close"
            assert client.get("/").status_code == 200, "from the new server"
        wait_for("it has no connections any more", lambda: not old.server_state.connections)


def test_a_server_that_ends_with_nobody_in_its_place_closes_idle_connections_at_once(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = start(listener)
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False) as client:
            client.get("/")
            server.should_exit = True
            wait_for("it has closed it", lambda: not server.server_state.connections)
