"""The Bento of the model in production as a whole service, compared with a stand-in for the replaced service.

    python -m benchmarks.serving [--seconds 4] [--rounds 3] [--connections 1 16 64] [--workers 2] [--stand-in def]
                                 [--size 20000] [--listings 120000] [--json FILE]
    python -m benchmarks.serving --direct-inserts [--seconds 8] [--rounds 7] [--connections 1 16 64] [...]

Both are trained on the same embedded listings and started on loopback. wrk sends requests with a token. The listings
are in no training data and do not repeat: each service gets all of them, in the same order, before it gets one again,
and "repeated" says how often that happened. `run.py serve` runs with one worker and with `--workers`, and
`bentoml serve` with `--workers`. Each service has a ledger of its own. Beside them run the limits:

- the constant answer: our application with all that it does but the model, in workers as those of `run.py serve`;
- the bare server: uvicorn with a constant answer, the most that the server, Python and wrk can do here;
- no server: the same work in as many processes, with nothing received or sent. It has the cores without wrk.

All take turns, so that changes of the machine's speed affect all of them alike. The tables show medians, and the median
of the ratios of each round. wrk runs on the same cores as the services, and its connections never pause: the latencies
are those of a service at its limit. "Busy" is the number of workers that took part: those of `bentoml serve` accept
from one queue, and wrk opens all connections at once, so that sometimes one worker gets all of them.

After that come the same 400 listings again and again, which a service answers from its cache of words; batches of 1,000
listings; the processor time of a request by layer, each layer measured by itself in a process without a server; cold
starts, and memory after the load. After each load a check follows that every acknowledged prediction is in the ledger.
More may be stored than were acknowledged, since wrk cuts requests in flight, but never fewer.

Batches stand beside the predictor alone, in as many processes as workers were busy, on the same listings right after
them: asked for one listing after another (`predict_top_k`), which is what the target compares with, and asked for
batches (`predict_batch`), which is what the service itself does. Each share is given twice. The rate is what a user
sees, and needs quiet cores: one worker and wrk have a core each; two workers fill both cores, while the predictor has
them without wrk. The processor time of a listing, in all threads of a worker, changes less when others use the machine.
The cores that wrk used say what the client took from the workers.

With `--direct-inserts` the service with one worker is compared with itself: once it stores a request that comes alone
directly (`ledger/direct_insert.py`), once it stores all requests in batches.
"""

import argparse
import json
import os
import platform
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks import preparation
from benchmarks.contestants import ADMIN, Contestant
from benchmarks.listings import BATCH, REPEATED, Body, in_batches, unseen_listings
from benchmarks.load import LoadError, Wrk
from benchmarks.no_server import NoServer
from benchmarks.processes import Running, ServiceError, interrupt_on_signals
from benchmarks.serving_report import Results, figures, show
from state.environment import QUIET

BATCH_CONNECTIONS = 2  # for each worker; with one for each, the kernel often gives both to the same worker
BATCH_SECONDS = 10  # minimum: the two batches of a worker that wrk cuts at the end do not count, but took their time
ALONE = 10 * BATCH  # listings at most, for the predictor alone after each load of batches
LAYERS = 2_000  # listings a round, for the layers
WARM_UP = 2  # seconds
progress = Console(stderr=True, highlight=False)
Turns = Sequence[tuple[Contestant, Running]]


def main(arguments: list[str]) -> int:
    """Measure, print the tables, and write them as JSON if `--json` is given."""
    options = _parser().parse_args(arguments)
    if shutil.which("wrk") is None:
        return _fail("wrk is not on the PATH; on Debian and Ubuntu 'apt-get install wrk' installs it", 2)
    if options.json and not options.json.resolve().parent.is_dir():
        return _fail(f"--json {options.json}: the folder {options.json.resolve().parent} does not exist", 2)
    interrupt_on_signals()
    try:
        with tempfile.TemporaryDirectory(prefix="serving-") as folder:
            results = measure(options, Path(folder), describe_machine(Path(folder)))
    except (ServiceError, LoadError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("interrupted; all processes that were started have ended", 130)
    show(results)
    if options.json:
        options.json.write_text(json.dumps(figures(results), indent=2) + "\n", encoding="utf-8")
    lost = sum(contestant.lost for contestant in results.contestants)
    return _fail(f"{lost:,} acknowledged predictions are not in the ledger", 1) if lost else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=_positive, default=20_000, help="embedded listings to train on (20000)")
    parser.add_argument("--listings", type=_positive, default=120_000, help="listings to send (120000)")
    parser.add_argument("--seconds", type=_positive, default=4, help="duration of each load (4)")
    parser.add_argument("--rounds", type=_positive, default=3, help="loads of each service (3)")
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
    return parser


def measure(options: argparse.Namespace, folder: Path, machine: dict[str, Any]) -> Results:
    """Train, start, load and end the services. Raises `ServiceError` and `LoadError`."""
    password = secrets.token_urlsafe(24)
    training = folder / "training"
    tag = ""
    if options.direct_inserts or options.workers > 0:
        progress.print("training the Bento's model, with the main job")
        tag = preparation.train_bento(training, options.size)
    contestants = prepare(options, folder, tag, password)
    listings = unseen_listings(options.listings)
    results = Results(machine, contestants, rounds=options.rounds, seconds=options.seconds)
    unseen = Wrk(folder, "unseen", listings)
    with ExitStack() as stack:
        turns = start(stack, contestants)
        check(turns, password, listings)
        put_warm_up(turns, unseen, password, options)
        if tag and not options.direct_inserts:
            environment = {**QUIET, "STATE_DIR": str(folder / "no-server"), "ADMIN_PASSWORD": password}
            environment["MODEL_DIR"] = str(preparation.model_of(training, tag))
            results.no_server = stack.enter_context(
                NoServer.running(folder / "no-server", environment, unseen.bodies, options.workers)
            )
        put_load(turns, unseen, password, options, results)
        if not options.direct_inserts:
            put_repeated(turns, Wrk(folder, "repeated", listings[:REPEATED]), password, options)
        if results.no_server:
            put_batches(turns, Wrk(folder, "batches", in_batches(listings)), password, options, results.no_server)
        for contestant, running in turns:
            contestant.memory = running.memory()
    for contestant in contestants:  # all have ended: requests in flight are stored now, or never
        contestant.count_stored()
    return results


def prepare(options: argparse.Namespace, folder: Path, tag: str, password: str) -> list[Contestant]:
    """Return the services, first the one that the others are compared with. Raises `ServiceError`."""
    training, workers = folder / "training", options.workers
    if options.direct_inserts:
        return [
            preparation.prepare_checkout(folder, training, tag, password, direct_inserts=direct)
            for direct in (False, True)
        ]
    progress.print("training the stand-in")
    contestants = [preparation.prepare_stand_in(folder / "stand-in", options.size, password, options.stand_in)]
    if workers > 0:
        numbers = sorted({1, workers})
        contestants += [preparation.prepare_served(folder / f"served-{n}", training, n, password) for n in numbers]
        contestants.append(preparation.prepare_bento(folder / "bentoml", training, tag, workers, password))
        contestants.append(preparation.prepare_constant(folder / "constant", training, tag, workers, password))
        contestants += [preparation.prepare_bare(folder / f"bare-{n}", n) for n in numbers]
    return contestants


def start(stack: ExitStack, contestants: Sequence[Contestant]) -> Turns:
    """Start and end each service by itself; then start all of them and leave them running."""
    progress.print("cold starts")
    for contestant in contestants:
        with contestant.service.running() as service:
            contestant.starts.append(service.seconds_to_ready)
    turns = []
    for contestant in contestants:
        turns.append((contestant, stack.enter_context(contestant.service.running())))
        contestant.starts.append(turns[-1][1].seconds_to_ready)
    return turns


def check(turns: Turns, password: str, listings: list[Body]) -> None:
    """Check that all of them answer with predictions, since wrk checks only the status. Raises `ServiceError`."""
    for contestant, service in turns:
        token = service.log_in(ADMIN, password)
        contestant.check(service, "/predict", listings[-1], token)
        if contestant.ledger:
            contestant.check(service, "/predict/batch", {"listings": listings[-BATCH:]}, token)


def put_warm_up(turns: Turns, wrk: Wrk, password: str, options: argparse.Namespace) -> None:
    """Send requests that are not measured, until all workers have answered some."""
    for contestant, service in turns:
        contestant.drive(wrk, service, "/predict", service.log_in(ADMIN, password), max(options.connections), WARM_UP)


def put_load(turns: Turns, wrk: Wrk, password: str, options: argparse.Namespace, results: Results) -> None:
    """Send requests of one listing, in turns, and do the same work without a server."""
    for number in range(options.rounds):
        progress.print(f"requests of one listing, round {number + 1} of {options.rounds}")
        # A new token each round: it is valid for half an hour and must not expire within a load.
        tokens = [service.log_in(ADMIN, password) for _, service in turns]
        for connections in options.connections:
            for (contestant, service), token in zip(turns, tokens, strict=True):
                load = contestant.drive(wrk, service, "/predict", token, connections, options.seconds)
                contestant.loads.setdefault(connections, []).append(load)
            if results.no_server:
                load = results.no_server.drive(connections, options.seconds)
                results.no_server.loads.setdefault(connections, []).append(load)
        if results.no_server:
            results.layers.append(results.no_server.layers(LAYERS))


def put_repeated(turns: Turns, wrk: Wrk, password: str, options: argparse.Namespace) -> None:
    """Send the same few listings again and again, at the greatest number of connections, in turns."""
    for number in range(options.rounds):
        progress.print(f"the same {REPEATED} listings, round {number + 1} of {options.rounds}")
        for contestant, service in turns:
            if contestant.classifies:
                token, connections = service.log_in(ADMIN, password), max(options.connections)
                load = contestant.drive(wrk, service, "/predict", token, connections, options.seconds)
                contestant.repeated.append(load)


def put_batches(turns: Turns, wrk: Wrk, password: str, options: argparse.Namespace, alone: NoServer) -> None:
    """Send batches of 1,000 listings to our services, each followed by the predictor alone on the same listings."""
    ours = [(contestant, service) for contestant, service in turns if contestant.ledger and contestant.classifies]
    for number in range(options.rounds):
        progress.print(f"batches of {BATCH:,} listings, round {number + 1} of {options.rounds}")
        for contestant, service in ours:
            connections = BATCH_CONNECTIONS * contestant.workers
            seconds = max(options.seconds, BATCH_SECONDS)
            token, first = service.log_in(ADMIN, password), wrk.sent(contestant.name)
            contestant.batches.append(contestant.drive(wrk, service, "/predict/batch", token, connections, seconds))
            same = min(ALONE, BATCH * (wrk.sent(contestant.name) - first))
            contestant.alone.append(alone.classify(BATCH * first, same, contestant.batches[-1].busy))


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


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _fail(message: str, exit_code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
