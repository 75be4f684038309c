"""The state folder: where it is, what moves with it, and that only one run writes to it at a time."""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TextIO

from commands import CommandError

SOURCE_ROOT = Path(__file__).resolve().parents[1]
QUIET = {
    # Nothing leaves this machine, and the libraries keep to warnings.
    "ZENML_ANALYTICS_OPT_IN": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "True",
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_LOOK = 0.2  # seconds between two looks at a lock
_ROOM = 500 * 2**20  # bytes: a run of 85,000 listings writes about 400 MiB


@dataclass(frozen=True)
class State:
    """`folder` holds what is ours; when it was `moved`, ZenML's, MLflow's and BentoML's state live in it too."""

    folder: Path
    moved: bool

    @classmethod
    def chosen(cls, option: Path | None) -> "State":
        """Return the folder that `--state`, or else `STATE_DIR`, names; by default `.state` beside run.py."""
        named = option or (Path(os.environ["STATE_DIR"]) if os.environ.get("STATE_DIR") else None)
        return cls((named or SOURCE_ROOT / ".state").expanduser().resolve(), named is not None)

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
        """Set the process up to use this state and to be quiet; before any of the libraries is imported."""
        for key, value in QUIET.items():
            os.environ.setdefault(key, value)
        os.environ.update(self.exports())

    def prepare(self) -> None:
        """Create the folder. Raises `CommandError` where it cannot be written to or the disk is nearly full."""
        probe = self.folder / f".probe-{uuid.uuid4().hex}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"x")
            probe.unlink()
            room = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise CommandError(
                f"the state folder {self.folder} cannot be written to ({error.strerror}); "
                "make it writable, or name another with --state DIR or STATE_DIR"
            ) from error
        if room < _ROOM:
            raise CommandError(
                f"the disk of the state folder {self.folder} has {room / 2**20:,.0f} MiB left and a run needs "
                f"{_ROOM / 2**20:,.0f}; free some, or name another folder with --state DIR or STATE_DIR"
            )

    @contextmanager
    def locked(self, what: str, lock: str = "run.lock", patience: float = 0) -> Iterator[None]:
        """Hold the state for this process; the kernel lets go when it ends, however it ends.

        `lock`: what does not disturb the others has a lock of its own. Raises `CommandError` naming the process that
        still holds it after `patience` seconds.
        """
        path = self.folder / lock
        with path.open("a+", encoding="utf-8") as file:
            deadline = monotonic() + patience
            while not _taken(file):
                if monotonic() >= deadline:
                    raise CommandError(
                        f"{_holder(path)} is at work on the state folder {self.folder}; wait for it to end"
                    )
                sleep(_LOOK)
            file.truncate(0)
            json.dump({"what": what, "pid": os.getpid(), "since": f"{datetime.now(UTC):%H:%M:%S} UTC"}, file)
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


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
