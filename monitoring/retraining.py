"""A retraining: started, waited for, its outcome recorded; as a process here, or as a DAG of Airflow."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import psutil

from monitoring.children import Child, OverdueError, StoppedError, end
from monitoring.decisions import utc_now
from monitoring.entries import AlertDecision, RetrainingEnd, RetrainingOutcome, RetrainingStart
from monitoring.journal import Journal, JournalError
from monitoring.report_folder import ReportFolder
from stacks.airflow_client import Airflow, AirflowAwayError, AirflowError, AirflowStoppedError

logger = logging.getLogger("monitoring")

_LIMIT = 12 * 3600  # seconds for one retraining
_AGAIN = 5  # seconds until what did not succeed is tried again: recording an outcome, reaching Airflow
INTERRUPTED = "interrupted: the monitor service ended while it was under way"


@dataclass(frozen=True)
class Result:
    """How a retraining ended, and the sentence."""

    outcome: RetrainingOutcome
    reason: str
    model_version: str | None = None


class Trainer(Protocol):
    """A way to retrain."""

    @property
    def way(self) -> str:
        """What it does, for people."""

    def train(self, job: AlertDecision, stop: threading.Event) -> Result | None:
        """Retrain. `None`: `stop` was set, and the retraining goes on without this service."""

    def resume(self, job: AlertDecision, stop: threading.Event) -> Result | None:
        """See to a retraining that was under way when an earlier service ended."""


class Retraining:
    """Retrains in the background, one at a time, and records how it ended."""

    def __init__(self, trainer: Trainer, journal: Journal, finished: Callable[[RetrainingEnd], None]) -> None:
        """`finished` is called with every outcome that was recorded."""
        self._trainer = trainer
        self._journal = journal
        self._finished = finished
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def resume(self) -> None:
        """See to what an earlier service left under way."""
        if job := self._journal.unfinished:
            self._begin(self._trainer.resume, job)

    def start(self, job: AlertDecision) -> None:
        """Begin what was decided, and return at once."""
        self._begin(self._trainer.train, job)

    def stop(self) -> None:
        """End what is under way and wait for its end."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _begin(self, work: Callable[[AlertDecision, threading.Event], Result | None], job: AlertDecision) -> None:
        self._thread = threading.Thread(target=self._run, args=(work, job), name=f"retraining {job.retraining}")
        self._thread.start()

    def _run(self, work: Callable[[AlertDecision, threading.Event], Result | None], job: AlertDecision) -> None:
        assert job.retraining
        try:
            result = work(job, self._stop)
        except Exception as error:  # a thread has nobody above it: without an outcome it would be under way for ever
            logger.exception("Retraining %s failed", job.retraining)
            result = Result("failed", f"{type(error).__name__}: {error}")
        if result is None:
            logger.info("Retraining %s goes on without this service", job.retraining)
            return
        logger.info("Retraining %s: %s (%s)", job.retraining, result.outcome, result.reason)
        entry = RetrainingEnd(
            at=utc_now(), retraining=job.retraining, outcome=result.outcome, reason=result.reason,
            model_version=result.model_version,
        )  # fmt: skip
        while True:
            try:
                self._journal.append(entry)
            except JournalError as error:
                logger.error("The outcome of retraining %s: %s", job.retraining, error)
                if self._stop.wait(_AGAIN):
                    return
            else:
                self._finished(entry)
                return


@dataclass(frozen=True)
class LocalTrainer:
    """Runs the training command as a process here, which puts the steps on the active stack."""

    command: Sequence[str]  # `--json FILE` is added
    source: Path  # the folder to run it in
    folder: ReportFolder  # for its log and its report
    turn: threading.Lock  # held while it runs: the monitoring pipeline and a retraining would slow each other down
    journal: Journal
    limit: float = _LIMIT
    way: str = field(default="as a process here, 'run.py train'", init=False)

    def train(self, job: AlertDecision, stop: threading.Event) -> Result:
        """Run it. Raises nothing that belongs to its work: that is a result."""
        while not self.turn.acquire(timeout=0.2):
            if stop.is_set():
                return Result("failed", INTERRUPTED)
        try:
            return self._train(job, stop)
        finally:
            self.turn.release()

    def resume(self, job: AlertDecision, _stop: threading.Event) -> Result:
        """End the process if it is still there; what it had reported before is its outcome."""
        start = self.journal.start_of(str(job.retraining))
        if start and start.pid and start.created:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(start.pid)
                if abs(process.create_time() - start.created) < 1:
                    end(process)
        return _read_report(self.folder.retraining_report(str(job.retraining))) or Result("failed", INTERRUPTED)

    def _train(self, job: AlertDecision, stop: threading.Event) -> Result:
        report = self.folder.retraining_report(str(job.retraining))
        log = self.folder.retraining_log(str(job.retraining))
        try:
            command = [*self.command, "--json", str(report)]
            child = Child.start(command, self.source, log)
        except OSError as error:
            return Result("failed", f"the training could not be started: {error.strerror}")
        try:
            with suppress(psutil.NoSuchProcess, JournalError):
                created = psutil.Process(child.pid).create_time()
                self.journal.append(
                    RetrainingStart(at=utc_now(), retraining=str(job.retraining), pid=child.pid, created=created)
                )
            code = child.wait(stop, self.limit)
        except StoppedError:
            return _read_report(report) or Result("failed", INTERRUPTED)
        except OverdueError as error:
            return Result("failed", str(error))
        result = _read_report(report, failed=code != 0)
        return result or Result("failed", child.last_error())


def _read_report(path: Path, *, failed: bool = False) -> Result | None:
    """Return what a training reported, if it came to that. One that trained nothing reports so, too."""
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        reason, version = str(report["reason"]), report["model_version"]
        if failed or report["weighted_f1"] is None:
            return Result("failed", reason)
        return Result(
            "promoted" if report["promoted"] else "refused", reason, None if version is None else str(version)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class AirflowTrainer:
    """Triggers a DAG, which Airflow runs wherever its workers are."""

    airflow: Airflow
    journal: Journal
    in_production: Callable[[], str | None]  # the version there, as the registry says now
    patience: float = 300  # seconds for which Airflow may be away when a run is to be triggered

    @property
    def way(self) -> str:
        """Which DAG of which Airflow."""
        return f"DAG '{self.airflow.settings.dag_id}' of Airflow at {self.airflow.settings.url}"

    def train(self, job: AlertDecision, stop: threading.Event) -> Result | None:
        """Trigger the run that belongs to the alert, which is harmless when it is there, and wait for it."""
        before = self.in_production()
        self.journal.append(RetrainingStart(at=utc_now(), retraining=str(job.retraining), version_before=before))
        return self._follow(job, stop, before)

    def resume(self, job: AlertDecision, stop: threading.Event) -> Result | None:
        """Take up the wait: Airflow's runs do not end with this service."""
        start = self.journal.start_of(str(job.retraining))
        return self._follow(job, stop, start.version_before) if start else self.train(job, stop)

    def _follow(self, job: AlertDecision, stop: threading.Event, before: str | None) -> Result | None:
        deadline = monotonic() + self.patience
        while True:
            try:
                self.airflow.trigger(dag_run_id(job), f"alert {job.alert}, fingerprint {job.fingerprint}")
                return self._outcome(job, stop, before)
            except AirflowAwayError as error:
                if monotonic() > deadline:
                    return Result("failed", str(error))
                logger.warning("Retraining %s waits: %s", job.retraining, error)
                if stop.wait(_AGAIN):
                    return None
            except AirflowError as error:
                return Result("failed", str(error))

    def _outcome(self, job: AlertDecision, stop: threading.Event, before: str | None) -> Result | None:
        try:
            state = self.airflow.wait(dag_run_id(job), stop=stop)
        except AirflowStoppedError:
            return None
        if state == "failed":
            return Result("failed", f"Airflow's run {dag_run_id(job)} failed; its log is there")
        now = self.in_production()
        if now != before:
            return Result("promoted", f"version {now} is in production now, after version {before}", now)
        return Result("refused", f"the run succeeded and version {now} stays in production", now)


def dag_run_id(job: AlertDecision) -> str:
    """Return the id of the run that belongs to an alert: the same alert can only name the same run."""
    return f"alert-{job.fingerprint}-{job.starts_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}Z"
