"""The services of the serving benchmark, and what was measured of each."""

import sqlite3
import statistics
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep

import psutil

from benchmarks.listings import BATCH
from benchmarks.load import Load, Wrk
from benchmarks.no_server import Alone, Rate
from benchmarks.processes import Memory, Running, Service, ServiceError

ADMIN = "admin"
_BUSY = 0.1  # a worker is busy from this share of the processor time of all workers on
_SETTLED = 0.5  # seconds without a new stored prediction: then all requests that wrk cut off are finished


@dataclass
class Contestant:
    """A service, and the measurements of it."""

    service: Service
    ledger: Path | None = None  # None: it stores nothing, or not in a ledger
    classifies: bool = True  # whether it has a model
    starts: list[float] = field(default_factory=list)
    loads: dict[int, list[Load]] = field(default_factory=dict)  # by number of connections; one load each round
    repeated: list[Load] = field(default_factory=list)  # with few listings, again and again
    batches: list[Load] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)  # of a predictor, after each load of batches
    memory: Memory = field(default_factory=lambda: Memory(0, 0, 0))
    acknowledged: int = 0
    in_flight: int = 0  # upper limit of the predictions that wrk cut off
    stored: int = 0
    lost: int = 0  # acknowledged predictions that are not in its ledger

    @property
    def name(self) -> str:
        """What the tables call it."""
        return self.service.name

    @property
    def workers(self) -> int:
        """The number of its processes that answer."""
        return self.service.workers

    @property
    def batch_rates(self) -> list[Rate]:
        """The rate in batches of a worker, by round."""
        return [Rate(BATCH * load.per_second / load.busy, load.microseconds / BATCH) for load in self.batches]

    def batch_share(self, alone: Callable[[Alone], Rate]) -> Rate:
        """Return the rate in batches as a share of a rate of the predictor alone: the median of the rounds.

        For `microseconds` too the share is 1 if a listing takes as long in the worker as in the predictor, and less if
        it takes longer.
        """
        rounds = [(rate, alone(each)) for rate, each in zip(self.batch_rates, self.alone, strict=True)]
        return Rate(
            statistics.median(rate.per_second / own.per_second for rate, own in rounds),
            statistics.median(own.microseconds / rate.microseconds for rate, own in rounds),
        )

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
        load = wrk.drive(self.name, f"{running.address}{path}", token, connections, seconds)
        used = [_cpu_seconds(worker) - earlier for worker, earlier in zip(workers, before, strict=True)]
        self.in_flight += connections * predictions
        self._account(load.acknowledged * predictions)
        busy = sum(seconds >= _BUSY * sum(used) for seconds in used)
        return replace(load, busy=busy, processor_seconds=sum(used))

    def _account(self, acknowledged: int) -> None:
        """Compare the predictions of one load with the ledger.

        Each load is compared by itself: predictions of one load that were stored but not acknowledged must not hide
        lost predictions of another load.
        """
        before, counted = self.stored, -1
        while self.ledger and counted != self.stored:
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
