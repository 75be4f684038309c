"""A lock that one process holds at a time. The kernel releases it when the process ends, also after a kill."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TextIO

from state.private import open_private

_INTERVAL = 0.2  # seconds between two attempts to take the lock


class LockedError(RuntimeError):
    """Another process holds the lock. The message names that process."""


@contextmanager
def hold(path: Path, what: str, patience: float = 0) -> Iterator[None]:
    """Hold the lock in the file `path` while the body runs; `what` names the holder for others.

    Raises `LockedError` when another process still holds the lock after `patience` seconds.
    """
    with open(path, "a+", encoding="utf-8", opener=open_private) as file:
        deadline = monotonic() + patience
        while not _taken(file):
            if monotonic() >= deadline:
                raise LockedError(_holder(path))
            sleep(_INTERVAL)
        file.truncate(0)
        json.dump({"what": what, "pid": os.getpid(), "since": f"{datetime.now(UTC):%H:%M:%S} UTC"}, file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _taken(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        entry: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "another run"
    return f"'{entry.get('what')}' (process {entry.get('pid')}, since {entry.get('since')})"
