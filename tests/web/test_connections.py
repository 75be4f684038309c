"""Connections to a real server in this process: how many, how long, and how much before a request is complete."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from web.connections import ConnectionLimits, LimitedProtocol, _open_by_address, limits_of_environment
from web.gate import Gate, Limits

LIMITS = ConnectionLimits(in_all=20, per_address=5, head_seconds=5, write_seconds=5)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("x" * (10**7 if scope["path"] == "/large" else 1))(scope, receive, send)


@asynccontextmanager
async def serving(limits: ConnectionLimits, app: Any = application) -> AsyncIterator[tuple[Connect, uvicorn.Server]]:
    """Serve on a port of its own; yield a function that connects, and the server."""

    class Protocol(LimitedProtocol):
        pass

    Protocol.limits = limits
    config = uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=5)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.001)
        opened: list[asyncio.StreamWriter] = []

        async def connect() -> Streams:
            streams = await asyncio.open_connection(*listener.getsockname(), limit=2**25)
            opened.append(streams[1])
            return streams

        yield connect, server
        server.force_exit = server.should_exit = True
        for writer in opened:
            writer.close()
        await task


async def answer(streams: Streams, sent: bytes = b"") -> bytes:
    """Send, and return everything until the server closes the connection."""
    reader, writer = streams
    writer.write(sent)
    parts = []
    try:
        async with asyncio.timeout(20):
            while part := await reader.read(2**20):
                parts.append(part)
    except ConnectionResetError:  # the server closes while something is still under way to it
        pass
    return b"".join(parts)


async def open_until(server: uvicorn.Server, number: int) -> None:
    async with asyncio.timeout(20):
        while len(server.server_state.connections) != number:
            await asyncio.sleep(0.001)


def run(check: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop of the services
        runner.run(check())  # type: ignore[arg-type]


def test_an_address_has_a_number_of_connections_and_a_closed_one_counts_no_more() -> None:
    async def check() -> None:
        async with serving(LIMITS) as (connect, server):
            held = [await connect() for _ in range(5)]
            await open_until(server, 5)
            for _ in range(3):
                refused = await answer(await connect())
                assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
                assert b"too many connections from this address" in refused
                assert b"retry-after" in refused.lower()
            held[0][1].write(REQUEST)  # those that were there first are answered
            assert (await held[0][0].readline()) == b"HTTP/1.1 200 OK\r\n"
            held[1][1].close()
            await open_until(server, 4)
            assert (await answer(await connect(), REQUEST.replace(b"Host", b"Connection: close\r\nHost"))).startswith(
                b"HTTP/1.1 200"
            )
            for _, writer in held:
                writer.close()
            await open_until(server, 0)
            assert not _open_by_address[server.server_state]

    run(check)


def test_a_trusted_proxy_is_limited_by_the_number_in_all_only() -> None:
    async def check() -> None:
        limits = replace(LIMITS, in_all=10, exempt=(ip_network("127.0.0.0/8"),))
        async with serving(limits) as (connect, server):
            for _ in range(10):
                await connect()
            await open_until(server, 10)
            assert b"too many connections" in await answer(await connect())

    run(check)


HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [HEAD + b"A: " + b"x" * 2**20, HEAD + b"A: b\r\n" * 2**17 + b"\r\n", b"GET /" + b"x" * 2**20,
     HEAD + b"A: " + b"x" * 70_000 + b"\r\n\r\n", b"GET /?" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
)  # fmt: skip
def test_a_head_that_is_too_long_is_refused_complete_or_not(sent: bytes) -> None:
    async def check() -> None:
        async with serving(LIMITS) as (connect, _):
            reader, writer = await connect()
            writer.write(sent)
            assert (await reader.readline()) == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"

    run(check)


def test_a_body_may_be_longer_than_a_head_but_not_its_framing() -> None:
    async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        await PlainTextResponse(str(size))(scope, receive, send)

    async def check() -> None:
        async with serving(LIMITS, read_all) as (connect, _):
            head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            sized = head + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
            assert (await answer(await connect(), sized)).endswith(b"\r\n\r\n3000000")
            chunks = b"a\r\n0123456789\r\n" * 20_000 + b"0\r\n\r\n"
            chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
            assert (await answer(await connect(), chunked + chunks)).endswith(b"\r\n\r\n200000")
            endless = chunked + b"1;" + b"x" * 2**20
            assert b"431" in (await answer(await connect(), endless))
            trailers = chunked + b"0\r\n" + b"A: b\r\n" * 2**17
            assert b"431" in (await answer(await connect(), trailers))

    run(check)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"", b""), (b"G", b"408"), (b"\r\n", b""), (HEAD, b"408"), (REQUEST + b"G", b"408"), (REQUEST + b"\r\n", b"")],
)
def test_a_connection_without_a_complete_head_is_closed(sent: bytes, status: bytes) -> None:
    async def check() -> None:
        async with serving(replace(LIMITS, head_seconds=0.1)) as (connect, _):
            reader, writer = await connect()
            if sent.startswith(REQUEST):
                writer.write(REQUEST)
                await reader.readuntil(b"\r\n\r\nx")
            received = await answer((reader, writer), sent.removeprefix(REQUEST))
            assert received[9:12] == status

    run(check)


def test_drops_of_a_head_do_not_prolong_the_time_for_it() -> None:
    async def check() -> None:
        async with serving(replace(LIMITS, head_seconds=0.2)) as (connect, _):
            reader, writer = await connect()
            closed = asyncio.create_task(answer((reader, writer)))
            for letter in HEAD * 100:
                if closed.done():
                    break
                writer.write(bytes([letter]))
                await asyncio.sleep(0.02)
            assert (await closed).startswith(b"HTTP/1.1 408")

    run(check)


def test_a_refused_request_whose_body_drips_is_closed() -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no", 401)(scope, receive, send)

    async def check() -> None:
        async with serving(replace(LIMITS, head_seconds=0.2), refuse) as (connect, server):
            reader, writer = await connect()
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            await reader.readuntil(b"\r\n\r\nno")
            while server.server_state.connections:
                writer.write(b"x")
                await asyncio.sleep(0.02)

    run(check)


def test_a_client_that_does_not_take_its_answer_is_cut_off() -> None:
    async def check() -> None:
        gate = Gate(application, authenticate=lambda *_: None, limits=Limits(timeout_seconds=0.2))
        async with serving(replace(LIMITS, write_seconds=0.1), gate) as (_, server):
            host, port = server.servers[0].sockets[0].getsockname()
            with socket.create_connection((host, port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                client.sendall(REQUEST.replace(b"/ ", b"/large ", 1))
                await open_until(server, 1)
                await open_until(server, 0)

    run(check)


def test_a_request_to_upgrade_stays_within_the_limits_and_is_answered_as_any_other() -> None:
    async def check() -> None:
        upgrade = HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
        async with serving(LIMITS) as (connect, server):
            reader, writer = await connect()
            writer.write(upgrade)
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
            assert sum(_open_by_address[server.server_state].values()) == 1

    run(check)


def test_what_is_no_http_is_answered_400() -> None:
    async def check() -> None:
        async with serving(LIMITS) as (connect, _):
            assert (await answer(await connect(), b"hello\r\n\r\n")).startswith(b"HTTP/1.1 400 Bad Request\r\n")

    run(check)


def test_a_process_has_no_more_connections_than_its_limit_of_open_files_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "TRUSTED_PROXIES", "HEAD_TIMEOUT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for files, given, expected in (
        (1_024, None, 824), (100, None, 50), (resource.RLIM_INFINITY, None, 10_000), (1_024, "300", 300),
        (1_024, "5000", 824),
    ):  # fmt: skip
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        if given:
            monkeypatch.setenv("MAX_CONNECTIONS", given)
        limits_of_environment.cache_clear()
        assert limits_of_environment().in_all == expected
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8")
    monkeypatch.setenv("MAX_CONNECTIONS_PER_ADDRESS", "7")
    limits_of_environment.cache_clear()
    limits = limits_of_environment()
    assert (limits.per_address, limits.exempt, limits.head_seconds) == (7, (ip_network("10.0.0.0/8"),), 10)
    limits_of_environment.cache_clear()
