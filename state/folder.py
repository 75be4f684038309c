"""The state folder: where it is, what moves with it, and that one command at a time writes to it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from state.environment import QUIET, absolute_folders, past_the_proxy
from state.lock import LockedError, hold
from state.private import SharedFolderError, private_folder

SOURCE_ROOT = Path(__file__).resolve().parents[1]
_NEEDED = 500 * 2**20  # bytes: a run of 85,000 listings writes about 400 MiB


class StateError(RuntimeError):
    """The state folder cannot be used: it is not writable, its disk is full, or another command is using it."""


@dataclass(frozen=True)
class State:
    """`folder` holds our own state. When it was `moved`, the state of ZenML, MLflow and BentoML is in it too."""

    folder: Path
    moved: bool

    @classmethod
    def chosen(cls, option: Path | None) -> "State":
        """Return the folder that `--state`, or else `STATE_DIR`, names; by default `.state` beside run.py.

        Raises `StateError` for a `~` that leads nowhere.
        """
        named = option or (Path(os.environ["STATE_DIR"]) if os.environ.get("STATE_DIR") else None)
        try:
            return cls((named or SOURCE_ROOT / ".state").expanduser().resolve(), named is not None)
        except RuntimeError as error:  # "~" of a user without a home folder
            raise StateError(f"the state folder {named} cannot be found: {error}; name it without '~'") from error

    def exports(self) -> dict[str, str]:
        """Return the variables that make native commands (zenml, mlflow, bentoml) use this state."""
        if not self.moved:
            return {}
        return {
            "STATE_DIR": str(self.folder),
            "ZENML_CONFIG_PATH": str(self.folder / "zenml"),
            "BENTOML_HOME": str(self.folder / "bentoml"),
        }

    def enter(self) -> None:
        """Make this process use this state and keep the libraries quiet. Call it before any of them is imported."""
        for key, value in QUIET.items():
            os.environ.setdefault(key, value)
        os.environ.update(absolute_folders(os.environ) | past_the_proxy(os.environ) | self.exports())

    def prepare(self) -> None:
        """Create the folder, for its owner only.

        Raises `StateError` when others may write to it, when it is not writable or when its disk is nearly full.
        """
        require_writable(self.folder, "the state folder")
        try:
            private_folder(self.folder)
        except SharedFolderError as error:
            raise StateError(str(error)) from error

    @contextmanager
    def locked(self, what: str, lock: str = "run.lock", patience: float = 0) -> Iterator[None]:
        """Hold a lock of the state folder while the body runs; `what` names this command to others.

        `lock`: the lock's file. Commands that may run together use different locks. Raises `StateError`, naming the
        other process, when that still holds the lock after `patience` seconds.
        """
        with ExitStack() as held:
            try:
                held.enter_context(hold(self.folder / lock, what, patience))
            except LockedError as error:
                raise StateError(f"{error} is using the state folder {self.folder}; wait until it ends") from error
            except OSError as error:
                raise StateError(f"the lock {self.folder / lock} cannot be taken: {error.strerror}") from error
            yield


def require_writable(folder: Path, what: str) -> None:
    """Create a folder. Raises `StateError`, which says `what` it is, if it is not writable or its disk nearly full."""
    probe = folder / f".probe-{os.urandom(8).hex()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StateError(
            f"{what} {folder} cannot be written to ({error.strerror}); make it writable, "
            "or name another folder for all state with --state DIR or STATE_DIR"
        ) from error
    if free < _NEEDED:
        raise StateError(
            f"the disk of {what} {folder} has {free / 2**20:,.0f} MiB left and a run needs "
            f"{_NEEDED / 2**20:,.0f}; free some, or name another folder for all state with --state DIR or STATE_DIR"
        )
