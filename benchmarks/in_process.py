"""The work of the service without a server: a process that does it when it is told to.

    python -m benchmarks.in_process BODIES NUMBER INDEX

State, model and settings come from the environment. Of a number of such processes, each begins in a part of the bodies
of its own. A line of JSON on standard input names what to do, and a line of
JSON on standard output tells how it went:

- `{"do": "work", "tasks": 16, "seconds": 4}`: validate bodies, classify, write the answers as JSON and store them, in a
  number of tasks at a time; nothing is received or sent.
- `{"do": "classify", "first": 3000, "listings": 5000}`: classify the listings from a body on, one after another
  and in batches, and do nothing else.
- `{"do": "layers", "listings": 2000}`: measure each layer of the service by itself.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, cycle
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import uvloop
from pydantic_core import to_json
from sqlalchemy import Engine

from benchmarks.layers import Parts, measure_layers
from bento.deployment import prepare_service
from bento.settings import Settings
from catalog.garbage import keep_what_is_loaded

if TYPE_CHECKING:
    from catalog.predictor import Texts

_TURN = 500  # listings
_WARM_UP = 5_000


def prepare() -> Parts:
    """Make the parts of a service: tables, keys, the admin, the model, the ledger's writer, a token."""
    prepare_service()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ["METRICS_DIR"]  # before prometheus_client is loaded
    from bento.answerer import ListingAnswerer
    from bento.ledger_health import LedgerHealth
    from bento.metrics import ServiceMetrics
    from bento.tokens import Signer, Verifier
    from catalog.predictor import Predictor
    from ledger.database import open_engine
    from ledger.writer import PredictionWriter

    settings = Settings.from_environment()
    secret = settings.required("jwt_secret")
    engine = open_engine(settings.database_url)
    predictor = Predictor(settings.model_dir)
    metrics = ServiceMetrics(multiprocess=True)
    answerer = ListingAnswerer(
        predictor, PredictionWriter(engine, check_callers=True), metrics, LedgerHealth(engine, metrics)
    )
    token = Signer("HS256", secret).sign(_admin(engine, settings.admin_username))
    return Parts(predictor, answerer, lambda: Verifier("HS256", {None: secret.encode()}), token, metrics)


def _admin(engine: Engine, username: str) -> Any:
    from ledger.database import reading
    from ledger.users import find_user

    with reading(engine) as connection:
        return find_user(connection, username)


async def work(parts: Parts, bodies: Iterator[bytes], tasks: int, seconds: float) -> dict[str, float]:
    """Answer bodies for a time, in a number of tasks."""
    from bento.predict_request import read_listing

    caller = parts.new_verifier().verify(parts.token)
    latencies: list[float] = []
    started = perf_counter()

    async def ask() -> None:
        while (begun := perf_counter()) < started + seconds:
            listing = read_listing(next(bodies), explain=False)
            prediction, record = await parts.answerer.answer(caller, listing, top=3, explain=False)
            to_json(prediction)
            await parts.answerer.store(caller, [record], None)
            latencies.append(perf_counter() - begun)

    await asyncio.gather(*(ask() for _ in range(tasks)))
    percentiles = quantiles(latencies, n=100)
    return {
        "answers": len(latencies), "seconds": perf_counter() - started, "p50_ms": percentiles[49] * 1e3,
        "p99_ms": percentiles[98] * 1e3,
    }  # fmt: skip


class Classifying:
    """Classifies listings one after another, and in batches, and nothing else.

    Each way has a predictor of its own, so that neither finds words in the cache that only the other has looked up.
    They take turns of a few hundred listings, so that changes of the machine's speed affect both alike.
    """

    def __init__(self, folder: Path) -> None:
        from catalog.predictor import Predictor

        self._alone, self._together = Predictor(folder), Predictor(folder)

    def measure(self, warm_up: Sequence["Texts"], listings: Sequence["Texts"]) -> dict[str, dict[str, float]]:
        """Return the listings a second, and the microseconds of processor time for a listing, of each way."""
        ways: dict[str, Callable[[Sequence[Texts]], object]] = {
            "one_by_one": self._one_by_one,
            "in_batches": self._together.predict_batch,
        }
        for way in ways.values():
            way(warm_up)
        seconds, processor = (dict.fromkeys(ways, 0.0) for _ in range(2))
        for number, first in enumerate(range(0, len(listings), _TURN)):
            for name in sorted(ways, reverse=number % 2 == 1):
                started, used = perf_counter(), process_time()
                ways[name](listings[first : first + _TURN])
                seconds[name] += perf_counter() - started
                processor[name] += process_time() - used
        return {
            name: {"per_second": len(listings) / seconds[name], "microseconds": processor[name] / len(listings) * 1e6}
            for name in ways
        }

    def _one_by_one(self, listings: Sequence["Texts"]) -> None:
        for title, description in listings:
            self._alone.predict_top_k(title, description)


def _texts(bodies: Iterable[bytes]) -> list["Texts"]:
    listings = [json.loads(body) for body in bodies]
    return [(listing["designation"], listing.get("description")) for listing in listings]


def main(arguments: list[str]) -> int:
    """Do what the lines of the standard input say."""
    parts = prepare()
    all_bodies = Path(arguments[0]).read_bytes().splitlines()
    first = len(all_bodies) * int(arguments[2]) // int(arguments[1])
    bodies = cycle(chain(all_bodies[first:], all_bodies[:first]))
    classifying: Classifying | None = None
    keep_what_is_loaded()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            match json.loads(line):
                case {"do": "work", "tasks": tasks, "seconds": seconds}:
                    answer: Any = runner.run(work(parts, bodies, tasks, seconds))
                case {"do": "classify", "first": first, "listings": number}:
                    classifying = classifying or Classifying(Settings.from_environment().model_dir)
                    numbers = range(first - _WARM_UP, first + number)
                    texts = _texts(all_bodies[each % len(all_bodies)] for each in numbers)
                    answer = classifying.measure(texts[:_WARM_UP], texts[_WARM_UP:])
                case {"do": "layers", "listings": number}:
                    answer = runner.run(measure_layers(parts, [next(bodies) for _ in range(number)]))
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
