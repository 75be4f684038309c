"""Ctrl-C ends a command, whatever the libraries do with it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, INTERRUPTED_CODE = "interrupted; the version in production has not changed", 130
_PATIENCE = 5  # seconds from Ctrl-C to the end of the process


@contextmanager
def interruptible() -> Iterator[None]:
    """Make Ctrl-C end the process within seconds while the body runs.

    Ctrl-C raises an exception. A library may drop that during its clean-up, or wait for a thread that does not end.
    The process then ends as if it was killed, and the next run continues from what is stored.
    """

    def leave() -> None:
        sys.stderr.write(f"error: {INTERRUPTED}\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED_CODE)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        overdue = threading.Timer(_PATIENCE, leave)
        overdue.daemon = True
        overdue.start()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
