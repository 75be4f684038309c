"""The monitoring pipeline on an interval: one run at a time, and a failed one does not end the next."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

from catalog.verdict import VERDICTS
from monitoring.children import Child, OverdueError, StoppedError
from monitoring.decisions import utc_now
from monitoring.entries import FailedRun
from monitoring.journal import Journal, JournalError
from monitoring.report_folder import ReportFolder

logger = logging.getLogger("monitoring")

FAILED = "failed"
_LIMIT = 3600  # seconds for one run
_BREATH = 0.5  # seconds between two runs at least: a retraining that waits gets its turn


@dataclass
class Rounds:
    """Runs a command again and again in a thread of its own."""

    command: Sequence[str]  # `--json FILE` is added
    source: Path  # the folder to run it in
    folder: ReportFolder
    every: timedelta
    turn: threading.Lock  # held while it runs
    journal: Journal
    ended: Callable[[str], None]  # is told the verdict of every run, or "failed"
    limit: float = _LIMIT
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin with the first run."""
        self._thread = threading.Thread(target=self._repeat, name="monitoring rounds")
        self._thread.start()

    def stop(self) -> None:
        """End the run under way and begin none."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _repeat(self) -> None:
        while not self._stop.is_set():
            begun = monotonic()
            if not self.turn.acquire(timeout=0.2):  # a retraining is under way
                continue
            try:
                self._run()
            except StoppedError:
                return
            finally:
                self.turn.release()
            self._stop.wait(max(_BREATH, begun + self.every.total_seconds() - monotonic()))

    def _run(self) -> None:
        report = self.folder.run_report
        reason = ""
        try:
            report.unlink(missing_ok=True)
            child = Child.start([*self.command, "--json", str(report)], self.source, self.folder.run_log)
            if child.wait(self._stop, self.limit) == 0:
                verdict = json.loads(report.read_text(encoding="utf-8"))["verdict"]
                if verdict in VERDICTS:
                    logger.info("Monitoring: %s", verdict)
                    self.ended(verdict)
                    return
                reason = f"it reported the verdict {verdict!r}"
            else:
                reason = child.last_error()
        except (OSError, ValueError, KeyError, TypeError, OverdueError) as error:
            reason = f"it left no report: {error}" if not isinstance(error, OverdueError) else str(error)
        logger.warning("The monitoring pipeline failed: %s", reason)
        try:
            self.journal.append(FailedRun(at=utc_now(), reason=reason))
        except JournalError as error:
            logger.error("%s", error)
        self.ended(FAILED)
