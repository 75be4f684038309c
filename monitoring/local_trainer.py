"""Retraining by the training command as a child process of the monitor service."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitoring.decisions import utc_now
from monitoring.entries import Job, RetrainingOutcome, RetrainingStart
from monitoring.journal import Journal, JournalError
from monitoring.report_folder import ReportFolder
from monitoring.retraining import RetrainingResult
from monitoring.run_py import ENDING, RunPyCommand, last_error
from state.processes import OverdueError, StoppedError, end_process_tree, find_process

INTERRUPTED = "interrupted: the monitor service ended while it was under way"
_LIMIT = 12 * 3600  # seconds for one retraining
_INTERVAL = 0.2  # seconds between two attempts to take the lock


@dataclass(frozen=True)
class LocalTrainer:
    """Runs the training command, which runs the training pipeline on the active stack."""

    command: RunPyCommand
    folder: ReportFolder  # for the log and the report
    pipeline_lock: threading.Lock  # held while a pipeline runs: two at a time would slow each other down
    journal: Journal
    limit: float = _LIMIT
    description: str = field(default="as a process here, 'run.py train'", init=False)

    def train(self, job: Job, stop: threading.Event) -> RetrainingResult:
        """Run the training and return what it reports, or how it failed."""
        while not self.pipeline_lock.acquire(timeout=_INTERVAL):
            if stop.is_set():
                return RetrainingResult("failed", INTERRUPTED)
        try:
            return self._train(str(job.retraining), stop)
        finally:
            self.pipeline_lock.release()

    def resume(self, job: Job, _stop: threading.Event) -> RetrainingResult:
        """End the training if it still runs. The result is what it had reported before, or that it was interrupted."""
        retraining = str(job.retraining)
        start = self.journal.start_of(retraining)
        if start and start.pid and start.created and (process := find_process(start.pid, start.created)):
            end_process_tree(process, ENDING)
        return self._reported(retraining) or RetrainingResult("failed", INTERRUPTED)

    def _train(self, retraining: str, stop: threading.Event) -> RetrainingResult:
        log = self.folder.retraining_log(retraining)
        try:
            child = self.command.start(self.folder.retraining_report(retraining), log)
        except OSError as error:
            return RetrainingResult("failed", f"the training could not be started: {error.strerror}")
        with suppress(JournalError):  # then only a restarted service could not end this process
            start = RetrainingStart(at=utc_now(), retraining=retraining, pid=child.pid, created=child.created)
            self.journal.append(start)
        try:
            code = child.wait(stop, self.limit)
        except StoppedError:
            return self._reported(retraining) or RetrainingResult("failed", INTERRUPTED)
        except OverdueError as error:
            return RetrainingResult("failed", str(error))
        return self._reported(retraining, failed=code != 0) or RetrainingResult("failed", last_error(log, code))

    def _reported(self, retraining: str, *, failed: bool = False) -> RetrainingResult | None:
        return _read_report(self.folder.retraining_report(retraining), failed=failed)


def _read_report(path: Path, *, failed: bool) -> RetrainingResult | None:
    """Return what a training reported; None without a report. A run that trained no model reports that it failed."""
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        reason, version = str(report["reason"]), report["model_version"]
        if failed or report["weighted_f1"] is None:
            return RetrainingResult("failed", reason)
        outcome: RetrainingOutcome = "promoted" if report["promoted"] else "refused"
        return RetrainingResult(outcome, reason, None if version is None else str(version))
    except (OSError, ValueError, KeyError, TypeError):
        return None
