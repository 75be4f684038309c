"""ZenML's folder, which all clones of a user share: its stores are created by one process at a time."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zenml.utils.io_utils import get_global_config_directory

from stacks.files import StackError
from state.folder import StateError, require_writable
from state.lock import LockedError, hold

_LOCK = "product-types.lock"
_PATIENCE = 300  # seconds: creating all stores on a slow disk takes less
_one_thread = threading.RLock()
_held = False


def zenml_home() -> Path:
    """Return ZenML's folder. Raises `StackError` when nobody knows where it is: there is no home folder."""
    folder = get_global_config_directory()
    if folder.startswith("~"):
        raise StackError("this user has no home folder: set HOME, or name a folder for all state with --state DIR")
    return Path(folder)


@contextmanager
def alone_in_zenml() -> Iterator[None]:
    """Hold the lock of ZenML's folder while the body creates or changes what is shared there: stores, stacks, tracker.

    The lock is in the folder itself, so it is as wide as what it guards. Raises `StackError` when the folder cannot be
    written to, or another process holds the lock for minutes.
    """
    global _held
    with _one_thread:
        if _held:
            yield
            return
        home = zenml_home()
        try:
            require_writable(home, "ZenML's folder")
            lock = hold(home / _LOCK, f"run.py in {os.getcwd()}", _PATIENCE)
            with lock:
                _held = True
                try:
                    yield
                finally:
                    _held = False
        except StateError as error:
            raise StackError(str(error)) from error
        except LockedError as error:
            raise StackError(f"{error} is creating what ZenML keeps in {home}; wait until it ends") from error
