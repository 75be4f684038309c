"""What `run.py serve` takes to replace a killed worker, and what its clients notice of a switch between versions.

    python -m benchmarks.release [--rounds 3] [--seconds 20] [--connections 64] [--workers 2] [--size 2000]
                                 [--json FILE]

Two versions are trained on embedded listings. `run.py serve` serves one of them and follows the registry.

- A worker is killed (SIGKILL) while clients ask, each request on a connection of its own. Measured are the time until
  all workers take requests again, beside cold starts with nothing else running; the requests that failed, which can
  only be those that the killed worker had; and the longest wait for an answer, beside the longest in as long a time
  without a kill.
- The alias `production` moves to the other version under the load of wrk, and back as soon as that version is served,
  and so on. Measured is the p99 latency, beside that of the same load without a switch, in turns. The new workers start
  beside the old ones, on the same cores as they and wrk.
"""

import argparse
import json
import os
import secrets
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from time import monotonic, sleep

from rich.console import Console
from rich.table import Table

from benchmarks.clients import Clients
from benchmarks.contestants import ADMIN
from benchmarks.listings import unseen_listings
from benchmarks.load import Load, LoadError, Wrk
from benchmarks.preparation import prepare_bento, prepare_served, train_bento
from benchmarks.processes import Running, ServiceError, interrupt_on_signals, process, run, tail
from state.environment import QUIET
from state.folder import State

_LIMIT = 120  # seconds for a worker to be replaced, or a version to be served
_POLL = 0.02  # seconds
_EVERY = 0.5  # seconds between two looks of the service at the registry
progress = Console(stderr=True, highlight=False)


@dataclass
class Results:
    """What was measured; times in seconds."""

    cold_start: float = 0.0  # of `run.py serve`, until all workers take requests
    bentoml_start: float = 0.0  # of `bentoml serve` with one worker, which asks no registry
    replacements: list[float] = field(default_factory=list)  # from the kill until all workers take requests
    answers: int = 0
    failures: int = 0
    longest_usual: list[float] = field(default_factory=list)  # waits for an answer
    longest_while_replaced: list[float] = field(default_factory=list)
    usual: list[Load] = field(default_factory=list)
    switching: list[Load] = field(default_factory=list)
    switches: list[float] = field(default_factory=list)  # from the move of the alias until the version is served


@dataclass(frozen=True)
class Log:
    """What `run.py serve` prints."""

    path: Path

    def wait_for(self, sentence: str, action: Callable[[], object]) -> float:
        """Do something, and return the seconds until a sentence is printed once more. Raises `ServiceError`."""
        printed = self._count(sentence)
        begun = monotonic()
        action()
        return self.wait_until(sentence, begun, printed + 1)

    def wait_until(self, sentence: str, begun: float, times: int = 1) -> float:
        """Return the seconds since a moment until a sentence has been printed so often. Raises `ServiceError`."""
        while self._count(sentence) < times:
            if monotonic() - begun > _LIMIT:
                raise ServiceError(f"run.py serve has not printed '{sentence}' within {_LIMIT} s")
            sleep(_POLL)
        return monotonic() - begun

    def _count(self, sentence: str) -> int:
        return self.path.read_text(encoding="utf-8", errors="replace").count(sentence) if self.path.exists() else 0


def measure(options: argparse.Namespace, folder: Path) -> Results:
    """Train two versions, serve them, and measure. Raises `ServiceError` and `LoadError`."""
    results = Results()
    password = secrets.token_urlsafe(24)
    training = folder / "training"
    progress.print("training two versions")
    tag = train_bento(training, options.size)
    run([sys.executable, "run.py", "--state", str(training), "--size", str(options.size + 1_000), "--new-baseline"],
        training, QUIET)  # fmt: skip
    service = prepare_served(folder / "served", training, options.workers, password, _EVERY).service
    listings = unseen_listings(options.listings)
    log = Log(service.folder / "log.txt")
    progress.print("cold starts")
    with prepare_bento(folder / "bentoml", training, tag, 1, password).service.running() as alone:
        results.bentoml_start = alone.seconds_to_ready
    begun = monotonic()
    with service.running() as running:
        results.cold_start = log.wait_until("Serving ", begun)
        token = running.log_in(ADMIN, password)
        clients = Clients(running.address, token, listings)
        for number in range(options.rounds):
            progress.print(f"a killed worker, round {number + 1} of {options.rounds}")
            replace_a_worker(running, clients, log, results)
        results.answers, results.failures = clients.answers, sum(clients.failures.values())
        put_switches(running, Wrk(folder, "unseen", listings), token, training, log, options, results)
    return results


def replace_a_worker(running: Running, clients: Clients, log: Log, results: Results) -> None:
    """Kill a worker while clients ask, until all workers take requests again; before, ask for as long without."""
    victim = running.workers()[0]
    with clients.asking() as waits:
        seconds = log.wait_for("take requests again", victim.kill)
    results.replacements.append(seconds)
    results.longest_while_replaced.append(max(waits))
    with clients.asking() as waits:
        sleep(seconds)
    results.longest_usual.append(max(waits))


def put_switches(
    running: Running, wrk: Wrk, token: str, training: Path, log: Log, options: argparse.Namespace, results: Results
) -> None:
    """Put a load on the service while one switch follows another, and as much without any, in turns."""
    environment = {**QUIET, **State(training, moved=True).exports()}
    with (
        process(
            [sys.executable, "-m", "benchmarks.promotions", "rakuten-embedded"], training, environment, talks=True
        ) as (switch, promotions_log),
        ThreadPoolExecutor(1) as pool,
    ):
        assert switch.stdin
        assert switch.stdout
        if switch.stdout.readline() != b"ready\n":
            raise ServiceError(f"the registry cannot be reached:\n{tail(promotions_log)}")

        def move(number: str) -> None:
            assert switch.stdin
            switch.stdin.write(f"{number}\n".encode())
            switch.stdin.flush()

        def drive() -> Load:
            return wrk.drive("run.py serve", f"{running.address}/predict", token, options.connections, options.seconds)

        served = running.client.get("/health").json()["model_version"]
        versions = cycle(("1", "2") if served == "2" else ("2", "1"))
        drive()  # warms the workers up
        for number in range(options.rounds):
            progress.print(f"switches of versions, round {number + 1} of {options.rounds}")
            results.usual.append(drive())
            load = pool.submit(drive)
            while not load.done():
                results.switches.append(log.wait_for("Serving ", partial(move, next(versions))))
            results.switching.append(load.result())


def show(results: Results) -> None:
    """Print two tables."""
    console = Console(width=max(Console().width, 100))
    table = _table("A killed worker", "", "median", "worst")
    table.add_row("cold start of run.py serve, s", f"{results.cold_start:.1f}", "")
    table.add_row("cold start of bentoml serve, one worker, s", f"{results.bentoml_start:.1f}", "")
    table.add_row("until all workers take requests again, s", *_both(results.replacements, ".1f"))
    for name, start in (("run.py serve", results.cold_start), ("bentoml serve", results.bentoml_start)):
        times = [seconds / start for seconds in results.replacements]
        table.add_row(f"- times the cold start of {name}", *_both(times, ".2f"))
    table.add_row("longest wait for an answer meanwhile, s", *_both(results.longest_while_replaced, ".2f"))
    table.add_row("- as long without a kill, s", *_both(results.longest_usual, ".2f"))
    console.print(table)
    console.print(f"{results.answers:,} requests were answered, {results.failures:,} failed.")
    table = _table("Switches of versions under load", "", "usual", "during switches", "times the usual")
    for what, attribute in (("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"), ("requests/s", "per_second")):
        usual, switching = (
            [getattr(load, attribute) for load in loads] for loads in (results.usual, results.switching)
        )
        ratio = statistics.median(new / old for new, old in zip(switching, usual, strict=True))
        table.add_row(what, *(f"{statistics.median(each):,.1f}" for each in (usual, switching)), f"{ratio:.2f}")
    table.add_row("errors", *(f"{sum(load.errors for load in loads)}" for loads in (results.usual, results.switching)))
    table.add_row("from the promotion until it is served, s", "", f"{statistics.median(results.switches):.1f}")
    console.print(table)


def _both(values: list[float], form: str) -> tuple[str, str]:
    return f"{statistics.median(values):{form}}", f"{max(values):{form}}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    return table


def main(arguments: list[str]) -> int:
    """Measure, print the tables, and write them as JSON if `--json` is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.release", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="kills, and loads with switches (3)")
    parser.add_argument("--seconds", type=int, default=20, help="duration of each load of wrk (20)")
    parser.add_argument("--connections", type=int, default=64, help="of wrk (64)")
    parser.add_argument("--workers", type=int, default=2, help="workers of the service, at least 2 (2)")
    parser.add_argument("--size", type=int, default=2_000, help="embedded listings to train on (2000)")
    parser.add_argument("--listings", type=int, default=120_000, help="listings to send (120000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    options = parser.parse_args(arguments)
    if options.workers < 2:
        parser.error("--workers must be at least 2: the others answer while one is replaced")
    if shutil.which("wrk") is None:
        parser.error("wrk is not on the PATH; on Debian and Ubuntu 'apt-get install wrk' installs it")
    interrupt_on_signals()
    try:
        with tempfile.TemporaryDirectory(prefix="release-") as folder:
            results = measure(options, Path(folder))
    except (ServiceError, LoadError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; all processes that were started have ended\n")
        return 130
    show(results)
    if options.json:
        content = {"cores": os.cpu_count(), **asdict(results)}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
