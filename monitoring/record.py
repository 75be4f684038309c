"""What was decided and what came of it: one file of JSON lines that survives whatever ends the process."""

import fcntl
import logging
import os
import threading
from collections import deque
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

logger = logging.getLogger("monitoring")

Decision = Literal["started", "duplicate", "cooling_down", "over_budget", "already_running", "resolved", "ignored"]
Outcome = Literal["promoted", "refused", "failed"]
_REMEMBERED = 200  # entries of a kind that are kept for the page; the file keeps all
_CLOSED = -1


class RecordError(Exception):
    """The record cannot be read or written, or another process writes it."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime


class Decided(_Entry):
    """What was decided about one alert of one webhook, and why. `retraining` names what was started."""

    kind: Literal["decided"] = "decided"
    decision: Decision
    reason: str
    alert: str
    fingerprint: str
    starts_at: AwareDatetime
    retraining: str | None = None

    @property
    def key(self) -> tuple[str, datetime]:
        """What tells one alert from another: what it is about, and when it began."""
        return self.fingerprint, self.starts_at


class Began(_Entry):
    """What a later service must know of a retraining under way.

    Its process, which `created` tells from a later one with the same number; or the version before it in production.
    """

    kind: Literal["began"] = "began"
    retraining: str
    pid: int | None = None
    created: float | None = None
    version_before: str | None = None


class Finished(_Entry):
    """How a retraining ended."""

    kind: Literal["finished"] = "finished"
    retraining: str
    outcome: Outcome
    reason: str
    model_version: str | None = None


class RunFailed(_Entry):
    """A run of the monitoring pipeline that brought no report."""

    kind: Literal["run_failed"] = "run_failed"
    reason: str


Entry = Decided | Began | Finished | RunFailed
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


class Record:
    """The entries of a file, which one process holds at a time. What `append` returned from is on the disk."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it. Raises `RecordError` when another process holds it or it cannot be read."""
        self.decided: deque[Decided] = deque(maxlen=_REMEMBERED)
        self.failed_runs: deque[RunFailed] = deque(maxlen=_REMEMBERED)
        self.started: dict[str, Decided] = {}  # by retraining, in order
        self.began: dict[str, Began] = {}
        self.finished: dict[str, Finished] = {}
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # reports may name users
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._size = self._read()
                _sync_folder(path.parent)
            except BaseException:
                os.close(self._file)
                raise
        except BlockingIOError:
            raise RecordError(f"another monitor service is at work with {path}") from None
        except OSError as error:
            raise RecordError(f"{path} cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Let another process have the file; nothing is stored any more."""
        with self._lock:
            if self._file != _CLOSED:
                os.close(self._file)
                self._file = _CLOSED

    def append(self, *entries: Entry) -> None:
        """Write entries, all or none of them. Raises `RecordError` when they cannot be stored."""
        lines = b"".join(entry.model_dump_json().encode() + b"\n" for entry in entries)
        with self._lock:
            try:
                os.lseek(self._file, self._size, os.SEEK_SET)
                left = memoryview(lines)
                while left:
                    left = left[os.write(self._file, left) :]
                os.fsync(self._file)
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._file, self._size)
                raise RecordError(f"{self._path} cannot be written: {error.strerror}") from error
            self._size += len(lines)
            for entry in entries:
                self._note(entry)

    @property
    def unfinished(self) -> Decided | None:
        """The retraining that was started and of which no end is recorded."""
        last = next(reversed(self.started.values()), None)
        return last if last and last.retraining not in self.finished else None

    @property
    def last_finished(self) -> Finished | None:
        """The retraining that ended last."""
        return next(reversed(self.finished.values()), None)

    def _read(self) -> int:
        """Read what is there and return its length; a last line that was being written is taken away."""
        with open(self._file, "rb", closefd=False) as file:
            content = file.read()
        complete, newline, torn = content.rpartition(b"\n")
        if torn:
            logger.warning("The last line of %s is incomplete and is left out", self._path)
            os.ftruncate(self._file, len(content) - len(torn))
        for number, line in enumerate(complete.split(b"\n") if newline else (), start=1):
            try:
                self._note(_ENTRY.validate_json(line))
            except ValidationError as error:
                raise RecordError(
                    f"line {number} of {self._path} is none of this service's; without the file it would not know "
                    "what it has already done: mend the line, or move the file away to begin anew"
                ) from error
        return len(content) - len(torn)

    def _note(self, entry: Entry) -> None:
        match entry:
            case Decided():
                self.decided.append(entry)
                if entry.retraining:
                    self.started[entry.retraining] = entry
            case Began():
                self.began[entry.retraining] = entry
            case Finished():
                self.finished[entry.retraining] = entry
            case RunFailed():
                self.failed_runs.append(entry)


def _sync_folder(folder: Path) -> None:
    """Make sure that a file just created is found after a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
