"""The monitoring pipeline at an interval, one run at a time. A failed run does not end the loop."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from catalog.verdict import VERDICTS
from monitoring.decisions import utc_now
from monitoring.entries import FailedRun
from monitoring.journal import Journal, JournalError
from monitoring.report_folder import ReportFolder
from monitoring.run_py import RunPyCommand, last_error
from state.processes import OverdueError, StoppedError

logger = logging.getLogger("monitoring")

FAILED = "failed"
_LIMIT = 3600  # seconds for one run
_INTERVAL = 0.2  # seconds between two attempts to take the lock
_PAUSE = 0.5  # seconds between two runs at least, so that a waiting retraining can take the lock


@dataclass(frozen=True)
class Schedule:
    """Which command runs the monitoring pipeline, and how often."""

    command: RunPyCommand
    every: timedelta
    pipeline_lock: threading.Lock  # held while a pipeline runs: two at a time would slow each other down


@dataclass
class MonitoringLoop:
    """Runs the monitoring pipeline again and again in a thread of its own."""

    schedule: Schedule
    folder: ReportFolder
    journal: Journal
    on_end: Callable[[str], None]  # is called with the verdict of every run, or with "failed"
    limit: float = _LIMIT
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Start with a first run at once."""
        self._thread = threading.Thread(target=self._repeat, name="monitoring loop")
        self._thread.start()

    def stop(self) -> None:
        """End the run under way and start no other."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _repeat(self) -> None:
        lock, every = self.schedule.pipeline_lock, self.schedule.every.total_seconds()
        while not self._stop.is_set():
            started = monotonic()
            if not lock.acquire(timeout=_INTERVAL):  # a retraining is under way
                continue
            try:
                outcome = self._run()
            except StoppedError:
                return
            finally:
                lock.release()
            self.on_end(outcome)
            self._stop.wait(max(_PAUSE, started + every - monotonic()))

    def _run(self) -> str:
        """Run the pipeline once and return the verdict, or "failed"; the reason is then in the journal."""
        report, log = self.folder.run_report, self.folder.run_log
        try:
            report.unlink(missing_ok=True)
            code = self.schedule.command.start(report, log).wait(self._stop, self.limit)
            if code == 0:
                verdict = json.loads(report.read_text(encoding="utf-8"))["verdict"]
                if verdict in VERDICTS:
                    logger.info("Monitoring: %s", verdict)
                    return str(verdict)
                reason = f"its report has the verdict {verdict!r}"
            else:
                reason = last_error(log, code)
        except OverdueError as error:
            reason = str(error)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = f"it left no report: {error}"
        logger.warning("The monitoring pipeline failed: %s", reason)
        try:
            self.journal.append(FailedRun(at=utc_now(), reason=reason))
        except JournalError as error:
            logger.error("%s", error)
        return FAILED
