"""The processor time of a request by layer: each layer of the service by itself, in a process without a server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from bento.answerer import ListingAnswerer
    from bento.metrics import ServiceMetrics
    from bento.tokens import Verifier
    from catalog.predictor import Predictor
    from ledger.callers import Caller

SLICE = 200  # requests that each layer gets before it is the turn of the next
MANY = 64  # requests that are stored at a time


@dataclass(frozen=True)
class Parts:
    """The parts of a service, and a token of its admin."""

    predictor: "Predictor"
    answerer: "ListingAnswerer"
    new_verifier: "Callable[[], Verifier]"
    token: str
    metrics: "ServiceMetrics"


async def measure_layers(parts: Parts, bodies: Sequence[bytes]) -> dict[str, float]:
    """Return the microseconds of processor time that a request takes in each layer: medians over slices of the bodies.

    The time of all threads counts: the ledger has one of its own. `ledger, alone` is for a request at a time, `ledger,
    many` for 64. `new token` comes once for each token.

    In a service the layers alternate. There each finds the caches of the processor colder than in a loop of its own, so
    that the sum is less than what a worker takes; and the limits of connections (`web/connections.py`) are in no layer.
    """
    slices: dict[str, list[float]] = {}
    gate, routing = _gate(parts), _routing()
    for first in range(0, len(bodies) - SLICE + 1, SLICE):
        for layer, seconds in (await _one_slice(parts, bodies[first : first + SLICE], gate, routing)).items():
            slices.setdefault(layer, []).append(seconds / SLICE * 1e6)
    return {layer: max(0.0, median(times)) for layer, times in slices.items()}


async def _one_slice(parts: Parts, bodies: Sequence[bytes], gate: ASGIApp, routing: ASGIApp) -> dict[str, float]:
    from bento.predict_request import read_listing

    verifier = parts.new_verifier()
    caller = verifier.verify(parts.token)
    tokens = [parts.token] * len(bodies)
    listings = [read_listing(body, explain=False) for body in bodies]
    texts = [(listing.designation, listing.description) for listing in listings]
    times = {
        "model": _time(lambda text: parts.predictor.predict_top_k(*text), texts),
        "token": _time(verifier.verify, tokens),
        "new token": _time(lambda token: parts.new_verifier().verify(token), tokens),
    }
    answers: list[Any] = []

    async def answer(listing: Any) -> None:
        answers.append(await parts.answerer.answer(caller, listing, top=3, explain=False))

    # The model has seen these listings a moment ago, and takes less time for them now.
    again = _time(lambda text: parts.predictor.predict_top_k(*text), texts)
    times["language, id and record"] = await _time_async(answer, listings) - again
    times["JSON and validation"] = _time(lambda body: read_listing(body, explain=False), bodies) + _time(
        lambda answered: to_json(answered[0]), answers
    )
    called = await _time_async(_caller_of(_constant, parts.token), bodies)
    times["gate"] = await _time_async(_caller_of(gate, parts.token), bodies) - called - times["token"]
    times["routing"] = await _time_async(_caller_of(routing, parts.token), bodies) - called
    times["ledger, alone"] = await _time_async(lambda each: parts.answerer.store(caller, [each[1]], None), answers)
    answers.clear()
    for listing in listings:
        await answer(listing)
    groups = [answers[first : first + MANY] for first in range(0, len(answers), MANY)]
    times["ledger, many"] = await _time_async(lambda group: _store_all(parts, caller, group), groups)
    return times


async def _store_all(parts: Parts, caller: "Caller", group: Iterable[Any]) -> None:
    await asyncio.gather(*(parts.answerer.store(caller, [record], None) for _, record in group))


def _time(do: Callable[[Any], object], items: Iterable[Any]) -> float:
    started = process_time()
    for item in items:
        do(item)
    return process_time() - started


async def _time_async(do: Callable[[Any], Awaitable[object]], items: Iterable[Any]) -> float:
    started = process_time()
    for item in items:
        await do(item)
    return process_time() - started


async def _constant(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as an application does that has nothing to do."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def _gate(parts: Parts) -> ASGIApp:
    """Return the gate of the service, with nothing behind it."""
    from bento.authentication import create_authentication
    from web.gate import Gate, Limits

    limits = Limits(body_bytes_of={"/predict": 2**18}, body_seconds=10, max_in_flight=512, timeout_seconds=30)
    authenticate = create_authentication(parts.new_verifier().verify, {"/metrics": "a token"})
    return Gate(_constant, authenticate=authenticate, limits=limits, metrics=parts.metrics)


def _routing() -> ASGIApp:
    """Return an application such as that of the service, with a route that has nothing to do."""
    from fastapi import Request, Response

    from web.application import create_app

    app = create_app("Layers")

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        await request.body()
        return Response(b"{}", media_type="application/json")

    return app


def _caller_of(app: ASGIApp, token: str) -> Callable[[bytes], Awaitable[None]]:
    """Return a function that sends a body to an application, as a server does."""
    authorization = (b"authorization", f"Bearer {token}".encode())

    async def call(body: bytes) -> None:
        headers = [(b"host", b"127.0.0.1"), (b"content-length", str(len(body)).encode()), authorization]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/predict", "raw_path": b"/predict", "root_path": "", "query_string": b"", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 3000), "state": {},
        }  # fmt: skip

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(_message: Message) -> None:
            return

        await app(scope, receive, send)

    return call
