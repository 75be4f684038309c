"""The gate around applications that misbehave: limits, security headers, and an answer in every case."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.authentication import Headers
from web.gate import Gate, Limits, RequestMetrics
from web.problems import unauthorised

NO_LIMITS = Limits(max_body_bytes=1_000)


class Counted:
    """Metrics that remember what they were told."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.ended: list[tuple[str, int]] = []

    def request_started(self) -> None:
        self.in_flight += 1

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        self.in_flight -= 1
        self.ended.append((scope["path"], status))
        assert 0 <= seconds < 60


class Methods(Counted):
    """Metrics that remember methods."""

    def __init__(self) -> None:
        super().__init__()
        self.methods: list[str] = []

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        self.methods.append(scope["method"])


def admit(_scope: Scope, _headers: Headers) -> ASGIApp | None:
    return None


def gate(app: ASGIApp, limits: Limits = NO_LIMITS, metrics: RequestMetrics | None = None) -> Gate:
    return Gate(app, authenticate=admit, limits=limits, metrics=metrics)


class Answer:
    """What a client sees: the messages that were sent."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages
        self.status = messages[0]["status"] if messages else 0
        self.headers = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]] if messages else []
        self.body = b"".join(message.get("body", b"") for message in messages[1:]).decode()

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


async def asked(
    app: ASGIApp,
    path: str = "/",
    body: Sequence[bytes] = (b"",),
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    method: str = "POST",
    complete: bool = True,
) -> Answer:
    """Send one request, its body in pieces; unless it is complete, another piece never comes."""
    pieces, sent = list(body), []

    async def receive() -> Message:
        if not pieces:
            await asyncio.Event().wait()
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces) or not complete}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": list(headers)}
    await app(scope, receive, send)
    return Answer(sent)


def ask(app: ASGIApp, **request: Any) -> Answer:
    return anyio.run(lambda: asked(app, **request))


def answering(response: Response) -> ASGIApp:
    return response


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with the length of the body."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message["body"]), message["more_body"]
    await PlainTextResponse(str(length))(scope, receive, send)


def raising(error: Exception, *, after_start: bool = False) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if after_start:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return app


def test_every_answer_gets_the_security_headers_once() -> None:
    answer = ask(gate(answering(PlainTextResponse("x"))))
    assert answer.status == 200
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
    ):
        assert answer.header(name) == [value]


def test_a_page_may_set_its_own_policy_and_caching_but_no_other_security_header() -> None:
    own = {"Content-Security-Policy": "mine", "Cache-Control": "public", "Referrer-Policy": "origin"}
    answer = ask(gate(answering(PlainTextResponse("x", headers=own))))
    assert answer.header("content-security-policy") == ["mine"]
    assert answer.header("cache-control") == ["public"]
    assert answer.header("referrer-policy") == ["origin", "no-referrer"]


def test_a_refused_request_reaches_no_application() -> None:
    metrics = Counted()
    app = Gate(raising(AssertionError()), authenticate=lambda *_: unauthorised("no"), limits=NO_LIMITS, metrics=metrics)
    answer = ask(app)
    assert (answer.status, answer.header("www-authenticate")) == (401, ["Bearer"])
    assert answer.header("x-content-type-options") == ["nosniff"]
    assert metrics.ended == [("/", 401)]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ([b"x" * 1_000], [(b"content-length", b"1000")], 200),
        ([b"x" * 1_001], [(b"content-length", b"1001")], 413),
        ([b""], [(b"content-length", b"1001")], 413),
        ([b"x" * 500, b"x" * 500], [], 200),
        ([b"x" * 500, b"x" * 501], [], 413),
        ([b"x" * 1_001], [(b"content-length", b"1")], 413),
        ([b"x"], [(b"content-length", b"-5000")], 200),
    ],
)
def test_a_body_beyond_the_limit_is_refused_announced_or_not(
    body: list[bytes], headers: list[tuple[bytes, bytes]], status: int
) -> None:
    answer = ask(gate(reading), body=body, headers=headers)
    assert answer.status == status
    if status == 413:
        assert answer.header("connection") == ["close"]
        assert '"detail": "the body may have at most 1,000 bytes"' in answer.body


def test_a_body_that_is_too_long_reaches_no_application() -> None:
    answer = ask(gate(raising(AssertionError())), body=[b"x" * 600, b"x" * 600])
    assert answer.status == 413
    assert len(answer.messages) == 2


def test_an_application_gets_the_whole_body_at_once_and_then_what_the_server_says() -> None:
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append(await receive())
        with anyio.move_on_after(0.01):  # the client stays: nothing more is said
            heard.append(await receive())
        await PlainTextResponse("x")(scope, receive, send)

    assert ask(gate(app), body=[b"a", b"b", b"c"]).status == 200
    assert heard == [{"type": "http.request", "body": b"abc", "more_body": False}]


@pytest.mark.parametrize("path", ["/\n", "/a\tb", "/\x00", "/a\x7f", "/\x85", "/a\u2028b"])
def test_a_path_with_a_control_character_is_refused_before_anything_else(path: str) -> None:
    app = Gate(raising(AssertionError()), authenticate=lambda *_: unauthorised("no"), limits=NO_LIMITS)
    answer = ask(app, path=path)
    assert answer.status == 400
    assert '"detail": "the path has a control character"' in answer.body


def test_head_is_answered_as_get_and_counted_as_head() -> None:
    metrics = Methods()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["method"])(scope, receive, send)

    answer = ask(gate(app, metrics=metrics), method="HEAD")
    assert (answer.status, answer.header("content-length"), metrics.methods) == (200, ["3"], ["HEAD"])


def test_a_failure_is_logged_and_answered_without_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(gate(raising(RuntimeError("the disk is on fire"))), path="/secret")
    assert answer.status == 500
    assert '"detail": "the service failed; its log says why"' in answer.body
    assert "Request to unknown failed" in caplog.text
    assert "the disk is on fire" in caplog.text
    assert "/secret" not in caplog.text


def test_a_failure_after_the_answer_has_begun_sends_no_second_one(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Counted()
    answer = ask(gate(raising(RuntimeError("late"), after_start=True), metrics=metrics))
    assert [message["type"] for message in answer.messages] == ["http.response.start"]
    assert metrics.ended == [("/", 200)]
    assert "late" in caplog.text


async def waiting_for_ever(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


def test_a_body_that_does_not_arrive_is_answered_408() -> None:
    for body in ([], [b"x"], [b"x", b"y"]):
        answer = ask(gate(raising(AssertionError()), Limits(body_seconds=0.01)), body=body, complete=False)
        assert (answer.status, answer.header("connection")) == (408, ["close"])
    assert '"detail": "the body did not arrive within 0.01 s"' in answer.body


def test_a_request_that_takes_too_long_is_answered_504() -> None:
    answer = ask(gate(waiting_for_ever, Limits(timeout_seconds=0.05)))
    assert answer.status == 504
    assert '"detail": "not answered within 0.05 s"' in answer.body


def test_a_timeout_of_the_application_itself_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert ask(gate(raising(TimeoutError()), Limits(timeout_seconds=5))).status == 500
        assert ask(gate(raising(TimeoutError()))).status == 500
    assert caplog.text.count("Request to unknown failed") == 2


def test_more_requests_at_once_than_the_limit_are_refused_but_liveness_is_answered() -> None:
    statuses: dict[str, list[int]] = {"/": [], "/livez": []}
    metrics = Counted()
    begun: list[int] = []

    async def run() -> None:
        release = anyio.Event()

        async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
            begun.append(metrics.in_flight)
            await release.wait()
            await PlainTextResponse("x")(scope, receive, send)

        app = gate(waiting, Limits(max_in_flight=3), metrics)

        async def one(path: str) -> None:
            statuses[path].append((await asked(app, path)).status)

        async with anyio.create_task_group() as group:
            for path in ["/"] * 8 + ["/livez"]:
                group.start_soon(one, path)
            while len(begun) + len(statuses["/"]) + len(statuses["/livez"]) < 9:  # each is let in or refused
                await anyio.sleep(0)
            release.set()

    anyio.run(run)
    assert sorted(statuses["/"]) == [200] * 3 + [503] * 5
    assert statuses["/livez"] == [200]
    assert metrics.in_flight == 0


def mark_anonymous(scope: Scope, _headers: Headers) -> ASGIApp | None:
    """Admit everybody; nobody has a token, except on the path /mine."""
    scope["anonymous"] = scope["path"] != "/mine"
    return None


def test_anonymous_requests_have_slots_of_their_own_on_each_path() -> None:
    async def run() -> list[int]:
        limits = Limits(max_in_flight=1, anonymous_in_flight=2)
        app = Gate(waiting_for_ever, authenticate=mark_anonymous, limits=limits)
        statuses = []
        async with anyio.create_task_group() as group:
            for path in ["/login"] * 2 + ["/health", "/mine"]:
                group.start_soon(asked, app, path)
            await anyio.wait_all_tasks_blocked()
            for path in ("/login", "/health", "/mine", "/login"):
                with anyio.move_on_after(0.01) as waiting:
                    statuses.append((await asked(app, path)).status)
                if waiting.cancelled_caught:
                    statuses.append(0)  # let in
            group.cancel_scope.cancel()
        return statuses

    assert anyio.run(run) == [503, 0, 503, 503]


def test_a_request_whose_body_never_comes_takes_no_slot() -> None:
    async def run() -> int:
        app = Gate(reading, authenticate=mark_anonymous, limits=Limits(anonymous_in_flight=1, max_in_flight=1))
        async with anyio.create_task_group() as group:
            for path in ["/login", "/mine"] * 300:
                group.start_soon(lambda path: asked(app, path, [b"x"], complete=False), path)
            await anyio.wait_all_tasks_blocked()
            statuses = {(await asked(app, path)).status for path in ("/login", "/mine")}
            group.cancel_scope.cancel()
        return statuses.pop() if len(statuses) == 1 else 0

    assert anyio.run(run) == 200


def test_an_anonymous_body_has_a_limit_of_its_own() -> None:
    limits = Limits(max_body_bytes=20, body_bytes_of={"/mine": 50}, anonymous_body_bytes=10)
    app = Gate(reading, authenticate=mark_anonymous, limits=limits)
    asked_for = [("/login", 10), ("/login", 11), ("/mine", 50), ("/mine", 51)]
    assert [ask(app, path=path, body=[b"x" * size]).status for path, size in asked_for] == [200, 413, 200, 413]
    assert [ask(gate(reading, limits), body=[b"x" * size]).status for size in (20, 21)] == [200, 413]


def test_bodies_that_are_held_at_the_same_time_are_bounded_and_released() -> None:
    async def run() -> tuple[list[int], int]:
        app = gate(reading, Limits(max_held_bytes=1_000))
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(lambda: asked(app, body=[b"x" * 400], complete=False))
            await anyio.wait_all_tasks_blocked()
            during = [(await asked(app, body=[b"x" * size])).status for size in (0, 200, 201)]
            group.cancel_scope.cancel()
        return during, (await asked(app, body=[b"x" * 1_000])).status

    assert anyio.run(run) == ([200, 200, 503], 200)


def test_a_client_that_goes_away_while_it_sends_reaches_no_application() -> None:
    metrics = Counted()

    async def run() -> None:
        messages: list[Message] = [
            {"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"},
        ]  # fmt: skip

        async def receive() -> Message:
            return messages.pop(0)

        async def send(_: Message) -> None:
            raise AssertionError

        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        await gate(raising(AssertionError()), metrics=metrics)(scope, receive, send)

    anyio.run(run)
    assert metrics.ended == [("/", 0)]


@pytest.mark.parametrize(("kind", "messages"), [("websocket", [{"type": "websocket.close", "code": 1008}]), ("x", [])])
def test_what_is_not_http_is_closed(kind: str, messages: list[Message]) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    app: Callable[..., Awaitable[None]] = gate(raising(AssertionError()))
    anyio.run(lambda: app({"type": kind}, None, send))
    assert sent == messages
