"""A retraining in the background: started, or resumed after a restart, and its outcome stored in the journal."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from monitoring.decisions import utc_now
from monitoring.entries import Job, RetrainingEnd, RetrainingOutcome
from monitoring.journal import Journal, JournalError

logger = logging.getLogger("monitoring")

_RETRY_INTERVAL = 5  # seconds until storing an outcome is tried again


@dataclass(frozen=True)
class RetrainingResult:
    """How a retraining ended, and why."""

    outcome: RetrainingOutcome
    reason: str
    model_version: str | None = None


class Trainer(Protocol):
    """Retrains the model, here or elsewhere."""

    @property
    def description(self) -> str:
        """How it retrains, for people."""

    def train(self, job: Job, stop: threading.Event) -> RetrainingResult | None:
        """Retrain. Returns None when `stop` was set and the retraining continues without this service."""

    def resume(self, job: Job, stop: threading.Event) -> RetrainingResult | None:
        """Continue or end a retraining that was under way when an earlier service ended."""


class RetrainingRunner:
    """Runs one retraining at a time in a thread and stores how it ended."""

    def __init__(self, trainer: Trainer, journal: Journal, on_end: Callable[[RetrainingEnd], None]) -> None:
        """`on_end` is called with every outcome after it has been stored."""
        self._trainer = trainer
        self._journal = journal
        self._on_end = on_end
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def resume(self) -> None:
        """Continue or end the retraining that an earlier service left unfinished, if there is one."""
        if job := self._journal.unfinished:
            self._start_thread(self._trainer.resume, job)

    def start(self, job: Job) -> None:
        """Start the retraining that was decided, and return at once."""
        self._start_thread(self._trainer.train, job)

    def stop(self) -> None:
        """End the retraining under way and wait for its end."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _start_thread(self, work: "_Work", job: Job) -> None:
        self._thread = threading.Thread(target=self._run, args=(work, job), name=f"retraining {job.retraining}")
        self._thread.start()

    def _run(self, work: "_Work", job: Job) -> None:
        assert job.retraining
        try:
            result = work(job, self._stop)
        except Exception as error:  # nothing above a thread would store an outcome: it would stay unfinished for ever
            logger.exception("Retraining %s failed", job.retraining)
            result = RetrainingResult("failed", f"{type(error).__name__}: {error}")
        if result is None:
            logger.info("Retraining %s continues without this service", job.retraining)
            return
        logger.info("Retraining %s: %s (%s)", job.retraining, result.outcome, result.reason)
        self._store(
            RetrainingEnd(
                at=utc_now(), retraining=job.retraining, outcome=result.outcome, reason=result.reason,
                model_version=result.model_version,
            )
        )  # fmt: skip

    def _store(self, end: RetrainingEnd) -> None:
        while True:
            try:
                self._journal.append(end)
            except JournalError as error:
                logger.error("The outcome of retraining %s: %s", end.retraining, error)
                if self._stop.wait(_RETRY_INTERVAL):
                    return
            else:
                self._on_end(end)
                return


_Work = Callable[[Job, threading.Event], RetrainingResult | None]
