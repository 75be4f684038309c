"""The services of the serving benchmark: how each is prepared, and what was measured."""

import json
import sqlite3
import statistics
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep

import psutil

from benchmarks.load import Load, Wrk
from benchmarks.processes import ROOT, Memory, Running, Service, ServiceError, run
from state.environment import QUIET
from state.folder import State

BATCH = 1_000  # listings in a request to /predict/batch
ADMIN = "admin"
_BUSY = 0.1  # a worker is busy from this share of the processor time of all workers on
_SETTLED = 1  # seconds without a new stored prediction: then all requests that wrk cut off are finished


@dataclass
class Contestant:
    """A service, and the measurements of it."""

    service: Service
    ledger: Path | None = None  # None: the service is not a Bento and has no ledger
    starts: list[float] = field(default_factory=list)
    loads: dict[int, list[Load]] = field(default_factory=dict)  # by number of connections; one load each round
    batches: list[Load] = field(default_factory=list)
    memory: Memory = field(default_factory=lambda: Memory(0, 0, 0))
    acknowledged: int = 0
    in_flight: int = 0  # upper limit of the predictions that wrk cut off
    stored: int = 0
    lost: int = 0  # acknowledged predictions that are not in its ledger

    @property
    def batch_rate(self) -> float:
        """Listings a second and worker, in batches: the median of the rounds."""
        return BATCH * statistics.median(load.per_second / load.busy for load in self.batches)

    def check(self, running: Running, path: str, body: object, token: str) -> None:
        """Send one request and check that it is answered with predictions. Raises `ServiceError` when it is not."""
        answer = running.ask(path, body, token)
        batch = path.endswith("/batch")  # the answer to a batch has a prediction or errors for each listing
        predictions = [item.get("prediction") for item in answer["results"]] if batch else [answer]
        complete = [found for found in predictions if found and "confidence" in found]
        if len(complete) != (BATCH if batch else 1):
            raise ServiceError(f"{self.service.name}: POST {path} has no prediction for each listing: {answer!s:.300}")
        self.acknowledged += len(complete)

    def drive(self, wrk: Wrk, running: Running, path: str, token: str, connections: int, seconds: int) -> Load:
        """Put a load on the service, count the predictions, and find out how many of its workers were busy."""
        predictions = BATCH if path.endswith("/batch") else 1
        self.count_stored()
        workers = running.workers()
        before = [_cpu_seconds(worker) for worker in workers]
        load = wrk.drive(f"{running.address}{path}", token, connections, seconds)
        used = [_cpu_seconds(worker) - earlier for worker, earlier in zip(workers, before, strict=True)]
        self.in_flight += connections * predictions
        self._account(load.acknowledged * predictions)
        return replace(load, busy=sum(seconds >= _BUSY * sum(used) for seconds in used))

    def _account(self, acknowledged: int) -> None:
        """Compare the predictions of one load with the ledger.

        Each load is compared by itself: predictions of one load that were stored but not acknowledged must not hide
        lost predictions of another load.
        """
        before, counted = self.stored, -1
        while counted != self.stored:
            counted = self.stored
            sleep(_SETTLED)
            self.count_stored()
        self.acknowledged += acknowledged
        if self.ledger:
            self.lost += max(0, acknowledged - (self.stored - before))

    def count_stored(self) -> None:
        """Count the predictions in its ledger. Raises `ServiceError` when the ledger cannot be read."""
        if self.ledger is None:
            return
        try:
            with closing(sqlite3.connect(f"{self.ledger.as_uri()}?mode=ro", uri=True)) as connection:
                self.stored = int(connection.execute("SELECT count(*) FROM predictions").fetchone()[0])
        except sqlite3.Error as error:
            raise ServiceError(f"the ledger of {self.service.name} cannot be read: {error}") from error
        self.lost = max(self.lost, self.acknowledged - self.stored)


def _cpu_seconds(worker: psutil.Process) -> float:
    times = worker.cpu_times()
    return float(times.user + times.system)


def prepare_stand_in(folder: Path, size: int, password: str, endpoint: str) -> Contestant:
    """Train the stand-in and return it; its endpoint is a `def` or an `async def`. Raises `ServiceError`."""
    folder.mkdir()
    module = (sys.executable, "-m", "benchmarks.replaced_service")
    run([*module, "train", str(folder), "--size", str(size)], folder, {})
    # It does not run in the folder of its source, so Python finds the source by PYTHONPATH.
    environment = {"ADMIN_PASSWORD": password, "PYTHONPATH": str(ROOT)}
    command = [*module, "serve", str(folder), "--port", "{port}", "--endpoint", endpoint]
    name = "stand-in" if endpoint == "def" else f"stand-in, {endpoint}"
    return Contestant(Service(name, command, folder, environment))


def train_bento(folder: Path, size: int) -> str:
    """Run the main job in a fresh state folder and return the tag of its Bento. Raises `ServiceError`."""
    folder.mkdir()
    outcome_file = folder / "outcome.json"
    command = [sys.executable, "run.py", "--state", str(folder), "--size", str(size), "--json", str(outcome_file)]
    run(command, folder, QUIET)
    outcome = json.loads(outcome_file.read_text(encoding="utf-8"))
    if not outcome["bento_tag"]:
        raise ServiceError(f"there is no Bento to serve: {outcome['reason']}")
    return str(outcome["bento_tag"])


def prepare_bento(folder: Path, tag: str, workers: int, password: str) -> Contestant:
    """Return the Bento with a number of workers."""
    name = f"Bento, {workers} worker{'s' if workers > 1 else ''}"
    return _prepare_service(folder / f"bento-{workers}", name, [tag], folder / "training", workers, password)


def prepare_checkout(folder: Path, tag: str, password: str, *, direct_inserts: bool) -> Contestant:
    """Return the service of this checkout with the model of a Bento and one worker, with or without direct inserts."""
    module = "bento.service" if direct_inserts else "benchmarks.batched_service"
    name = "direct inserts" if direct_inserts else "batches only"
    bento, version = tag.split(":")
    model = folder / "training" / "bentoml" / "bentos" / bento / version / "src" / "model"
    service = [f"{module}:ProductTypes", "--working-dir", str(ROOT)]
    contestant = _prepare_service(folder / name.replace(" ", "-"), name, service, folder / "training", 1, password)
    environment = {**contestant.service.environment, "MODEL_DIR": str(model)}
    return replace(contestant, service=replace(contestant.service, environment=environment))


def _prepare_service(
    folder: Path, name: str, service: list[str], training: Path, workers: int, password: str
) -> Contestant:
    """Return a service that BentoML runs, with a state of its own and the Bento store of `training`."""
    state = State(folder, moved=True)
    state.prepare()
    store = {"BENTOML_HOME": str(training / "bentoml")}
    bentoml = str(Path(sys.prefix) / "bin" / "bentoml")
    return Contestant(
        Service(
            name=name,
            command=[bentoml, "serve", *service, "--host", "127.0.0.1", "--port", "{port}"],
            folder=state.folder,
            environment={**QUIET, **state.exports(), **store, "WORKERS": str(workers), "ADMIN_PASSWORD": password},
            workers=workers,
            worker_mark="_bentoml_impl.worker",
        ),
        state.folder / "ledger.db",
    )
