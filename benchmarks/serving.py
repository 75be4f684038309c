"""The Bento of the model in production as a whole service, compared with a stand-in for the replaced service.

    python -m benchmarks.serving [--seconds 8] [--rounds 3] [--connections 1 16 64] [--workers 2] [--stand-in def]
                                 [--size 20000] [--json FILE]
    python -m benchmarks.serving --direct-inserts [--seconds 8] [--rounds 7] [--connections 1 16 64] [...]

Both are trained on the same embedded listings and started on loopback. wrk then sends requests with a token for a few
hundred different listings. The Bento runs with one worker and with `--workers`, each time with a state folder of its
own. The services take turns, so that changes of the machine's speed affect all of them alike. The tables show medians,
and the median of the ratios of each round. wrk runs on the same cores as the services, and its connections never pause:
the latencies are those of a service at its limit. After that come batches of 1,000 listings, cold starts, memory after
the load, and a check after each load that every acknowledged prediction is in the ledger. More may be stored than were
acknowledged, since wrk cuts requests in flight, but never fewer.

Workers accept connections from one queue, and wrk opens all connections at once: sometimes one worker gets all of them.
"Busy" is the number of workers that took part (median of the rounds).

With `--direct-inserts` the service with one worker is compared with itself: once it stores a request that comes alone
directly (`ledger/direct_insert.py`), once it stores all requests in batches.
"""

import argparse
import json
import os
import platform
import secrets
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.contestants import (
    ADMIN,
    BATCH,
    Contestant,
    prepare_bento,
    prepare_checkout,
    prepare_stand_in,
    train_bento,
)
from benchmarks.load import Load, LoadError, Wrk
from benchmarks.processes import Running, ServiceError

LISTINGS = 400  # different listings in requests of one listing
BATCH_CONNECTIONS = 2  # for each worker; with one for each, the kernel often gives both to the same worker
BATCH_SECONDS = 5  # minimum: a batch takes a large part of a second, and batches that wrk cuts do not count
WARM_UP = 2  # seconds
progress = Console(stderr=True, highlight=False)


def main(arguments: list[str]) -> int:
    """Measure, print two tables, and write them as JSON if `--json` is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=_positive, default=20_000, help="embedded listings to train on (20000)")
    parser.add_argument("--seconds", type=_positive, default=8, help="duration of each load (8)")
    parser.add_argument("--rounds", type=_positive, default=3, help="loads and cold starts of each service (3)")
    parser.add_argument(
        "--connections", type=_positive, nargs="+", default=[1, 16, 64], help="numbers of connections (1 16 64)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=2,
        help="workers of the Bento, which also runs with one (2); 0: only the stand-in",
    )
    parser.add_argument(
        "--stand-in", choices=("def", "async"), default="def", help="the function of its endpoint (def)"
    )
    parser.add_argument(
        "--direct-inserts", action="store_true", help="compare the service with itself without direct inserts"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures of every round to this file")
    options = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        return _fail("wrk is not on the PATH; on Debian and Ubuntu 'apt-get install wrk' installs it", 2)
    if options.json and not options.json.resolve().parent.is_dir():
        return _fail(f"--json {options.json}: the folder {options.json.resolve().parent} does not exist", 2)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="serving-") as folder:
            machine = describe_machine(Path(folder))
            contestants = measure(options, Path(folder))
    except (ServiceError, LoadError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("interrupted; all processes that were started have ended", 130)
    show(machine, contestants, options)
    if options.json:
        options.json.write_text(json.dumps(figures(machine, contestants), indent=2) + "\n", encoding="utf-8")
    lost = sum(contestant.lost for contestant in contestants)
    return _fail(f"{lost:,} acknowledged predictions are not in the ledger", 1) if lost else 0


def measure(options: argparse.Namespace, folder: Path) -> list[Contestant]:
    """Train, start, load and end the services. Raises `ServiceError` and `LoadError`."""
    password = secrets.token_urlsafe(24)
    contestants = prepare(options, folder, password)
    single, batches = payloads()
    with ExitStack() as stack:
        running = start(stack, contestants, options.rounds)
        check(contestants, running, password, single[0], batches)
        put_load(contestants, running, Wrk(folder, "single", single), password, options)
        if not options.direct_inserts:
            put_batches(contestants, running, Wrk(folder, "batch", batches), password, options)
        for contestant, service in zip(contestants, running, strict=True):
            contestant.memory = service.memory()
    for contestant in contestants:  # all have ended: requests in flight are stored now, or never
        contestant.count_stored()
    return contestants


def prepare(options: argparse.Namespace, folder: Path, password: str) -> list[Contestant]:
    """Train and return the services, first the one that the others are compared with. Raises `ServiceError`."""
    contestants: list[Contestant] = []
    if not options.direct_inserts:
        progress.print("training the stand-in")
        contestants.append(prepare_stand_in(folder / "stand-in", options.size, password, options.stand_in))
    if options.direct_inserts or options.workers > 0:
        progress.print("training the Bento's model, with the main job")
        tag = train_bento(folder / "training", options.size)
    if options.direct_inserts:
        ways = (False, True)
        contestants += [prepare_checkout(folder, tag, password, direct_inserts=direct) for direct in ways]
    elif options.workers > 0:
        contestants += [prepare_bento(folder, tag, workers, password) for workers in sorted({1, options.workers})]
    return contestants


def payloads() -> tuple[list[dict[str, str]], list[dict[str, list[dict[str, str]]]]]:
    """Return the bodies for /predict and for /predict/batch: listings that are in no training data."""
    from catalog.synthetic import write_listings

    listings = []
    for listing in write_listings(2 * BATCH, seed=7)[0]:
        described = {"description": listing.description} if listing.description else {}
        listings.append({"designation": listing.title, **described})
    return listings[:LISTINGS], [{"listings": listings[:BATCH]}, {"listings": listings[BATCH:]}]


def start(stack: ExitStack, contestants: Sequence[Contestant], times: int) -> list[Running]:
    """Start each service a number of times, alone on the machine; then start all of them and leave them running."""
    for again in range(1, times):
        progress.print(f"cold start {again} of {times}")
        for contestant in contestants:
            with contestant.service.running() as service:
                contestant.starts.append(service.seconds_to_ready)
    progress.print(f"cold start {times} of {times}")
    running = []
    for contestant in contestants:
        running.append(stack.enter_context(contestant.service.running()))
        contestant.starts.append(running[-1].seconds_to_ready)
    return running


def check(
    contestants: Sequence[Contestant],
    running: Sequence[Running],
    password: str,
    listing: object,
    batches: Sequence[object],
) -> None:
    """Check that all of them answer with predictions, since wrk checks only the status. Raises `ServiceError`."""
    for contestant, service in zip(contestants, running, strict=True):
        token = service.log_in(ADMIN, password)
        contestant.check(service, "/predict", listing, token)
        for batch in batches if contestant.ledger else ():
            contestant.check(service, "/predict/batch", batch, token)


def put_load(
    contestants: Sequence[Contestant], running: Sequence[Running], wrk: Wrk, password: str, options: argparse.Namespace
) -> None:
    """Send requests of one listing, in turns."""
    for number in range(options.rounds):
        progress.print(f"requests of one listing, round {number + 1} of {options.rounds}")
        # A new token each round: it is valid for half an hour and must not expire within a load.
        turns = list(zip(contestants, running, [service.log_in(ADMIN, password) for service in running], strict=True))
        if number == 0:
            for contestant, service, token in turns:
                contestant.drive(wrk, service, "/predict", token, max(options.connections), WARM_UP)
        for connections in options.connections:
            for contestant, service, token in turns:
                load = contestant.drive(wrk, service, "/predict", token, connections, options.seconds)
                contestant.loads.setdefault(connections, []).append(load)


def put_batches(
    contestants: Sequence[Contestant], running: Sequence[Running], wrk: Wrk, password: str, options: argparse.Namespace
) -> None:
    """Send batches of 1,000 listings to the Bentos, in turns; the stand-in has no such route."""
    bentos = [
        (contestant, service) for contestant, service in zip(contestants, running, strict=True) if contestant.ledger
    ]
    for number in range(options.rounds if bentos else 0):
        progress.print(f"batches of {BATCH:,} listings, round {number + 1} of {options.rounds}")
        for contestant, service in bentos:
            connections = BATCH_CONNECTIONS * contestant.service.workers
            seconds = max(options.seconds, BATCH_SECONDS)
            token = service.log_in(ADMIN, password)
            contestant.batches.append(contestant.drive(wrk, service, "/predict/batch", token, connections, seconds))


def describe_machine(folder: Path) -> dict[str, Any]:
    """Return the properties of the machine on which the figures depend."""
    holding = [part for part in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(part.mountpoint)]
    return {
        "cores": psutil.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "file_system": max(holding, key=lambda part: len(part.mountpoint)).fstype if holding else "unknown",
        "load_before": round(os.getloadavg()[0], 2),
    }


def show(machine: dict[str, Any], contestants: Sequence[Contestant], options: argparse.Namespace) -> None:
    """Print the two tables."""
    console = Console(width=max(Console().width, 100))  # also when the output goes to a file
    console.print(
        f"{machine['cores']} cores ({machine['processor']}), shared with wrk; Python {machine['python']}; state on "
        f"{machine['file_system']}; load average before {machine['load_before']}"
    )
    title = f"One listing a request, medians of {options.rounds} x {options.seconds} s"
    table = _table(
        title,
        "connections",
        "what",
        "requests/s",
        f"times {contestants[0].service.name}",
        "p50 ms",
        "p99 ms",
        "errors",
        "busy",
        left="what",
    )
    base = contestants[0]
    for connections in options.connections:
        for contestant in contestants:
            loads = contestant.loads[connections]
            table.add_row(
                str(connections) if contestant is base else "",
                contestant.service.name,
                f"{_median(loads, 'per_second'):,.0f}",
                f"{ratio(loads, base.loads[connections]):.2f}",
                f"{_median(loads, 'p50_ms'):.1f}",
                f"{_median(loads, 'p99_ms'):.1f}",
                f"{sum(load.errors for load in loads):,}",
                f"{_median(loads, 'busy'):g} of {contestant.service.workers}",
                end_section=contestant is contestants[-1],
            )
    console.print(table)
    table = _table("The services", "", *(contestant.service.name for contestant in contestants), left="")
    rows = {
        "cold start, s": [f"{statistics.median(contestant.starts):.1f}" for contestant in contestants],
        "resident memory of a worker, MiB": [f"{contestant.memory.rss:,.0f}" for contestant in contestants],
        "- of that shared with no other process": [f"{contestant.memory.uss:,.0f}" for contestant in contestants],
        "- the same of all its processes": [f"{contestant.memory.all_uss:,.0f}" for contestant in contestants],
        "listings/s and worker in batches": [f"{each.batch_rate:,.0f}" if each.batches else "" for each in contestants],
        "predictions acknowledged": [f"{each.acknowledged:,}" if each.ledger else "" for each in contestants],
        "- stored": [f"{each.stored:,}" if each.ledger else "" for each in contestants],
        "- stored but cut by wrk, at most": [f"{each.in_flight:,}" if each.ledger else "" for each in contestants],
    }
    for what, values in rows.items():
        if any(values):
            table.add_row(what, *values)
    console.print(table)
    if errors := sum(load.errors for contestant in contestants for load in contestant.batches):
        console.print(f"{errors:,} batches were refused or broken.")


def figures(machine: dict[str, Any], contestants: Sequence[Contestant]) -> dict[str, Any]:
    """Return all measurements, for programs."""
    base = contestants[0]
    return {
        "machine": machine,
        "services": [
            {
                "what": contestant.service.name,
                "workers": contestant.service.workers,
                "cold_start_seconds": contestant.starts,
                "memory_mib": asdict(contestant.memory),
                "single": [
                    {
                        "connections": connections,
                        "requests_per_second": _median(loads, "per_second"),
                        "times_the_first": ratio(loads, base.loads[connections]),
                        "p50_ms": _median(loads, "p50_ms"),
                        "p99_ms": _median(loads, "p99_ms"),
                        "errors": sum(load.errors for load in loads),
                        "busy_workers": _median(loads, "busy"),
                        "rounds": [asdict(load) for load in loads],
                    }
                    for connections, loads in contestant.loads.items()
                ],
                "batch_listings_per_second_and_worker": contestant.batch_rate if contestant.batches else None,
                "batch_rounds": [asdict(load) for load in contestant.batches],
                "predictions": {
                    "acknowledged": contestant.acknowledged,
                    "stored": contestant.stored,
                    "lost": contestant.lost,
                    "cut_by_wrk_at_most": contestant.in_flight,
                }
                if contestant.ledger
                else None,
            }
            for contestant in contestants
        ],
    }


def ratio(loads: Iterable[Load], base: Iterable[Load]) -> float:
    """Return the requests a second relative to the base: the median of the ratios of each round."""
    return statistics.median(load.per_second / other.per_second for load, other in zip(loads, base, strict=True))


def _median(items: Iterable[Any], attribute: str) -> float:
    return float(statistics.median(getattr(item, attribute) for item in items))


def _table(title: str, *columns: str, left: str) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="left" if column == left else "right", no_wrap=column == left)
    return table


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # further signals are ignored while the processes are ended
    raise KeyboardInterrupt


def _fail(message: str, exit_code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
