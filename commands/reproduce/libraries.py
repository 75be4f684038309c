"""The libraries of a version: those of this environment if they are the same, else an environment of its own."""

import hashlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

from commands.reproduce.gone import GoneError
from state.folder import SOURCE_ROOT
from terminal.errors import CommandError
from tracking.isolation import PYTHON
from tracking.training_record import TrainingRecord

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
_WHOLE = "installed"  # a file in an environment whose installation was not interrupted
_LIMIT = 3_600  # seconds for an installation
_SHOWN = 3  # of the packages that differ


class InstallationError(CommandError):
    """An environment cannot be installed."""


def python_of(record: TrainingRecord, root: Path, folder: Path, *, install: bool) -> tuple[str, str]:
    """Return the interpreter that has the recorded libraries, and a few words about it.

    `root` is the source root of the recorded commit, `folder` has the environments of earlier calls. Raises `GoneError`
    where another environment is needed and `install` is false, and `InstallationError`.
    """
    lock = _lock(record, root)
    own = folder / f"{record.lock_hash[:16]}-python{_minor(record.python)}"
    interpreter = own / "bin" / "python"  # a link, which leads nowhere when the Python that it was made with is removed
    is_whole = (own / _WHOLE).is_file() and interpreter.exists()
    if install or is_whole:
        if not is_whole:
            _install(lock, own, record.python)
        return str(interpreter), f"an environment of its own, {own}"
    same, differing = _compared(lock)
    if _minor(record.python) != _minor(python_version()):
        differing.insert(0, f"Python {python_version()} instead of {record.python}")
    if differing:
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise GoneError(
            f"This environment has other libraries than the training: {', '.join(differing[:_SHOWN])}{more}. Run again "
            "with --install, which installs the recorded ones from the network into the state folder."
        )
    return PYTHON, f"this environment has the same {same} packages"


def _lock(record: TrainingRecord, root: Path) -> Path:
    """Return the recorded lock file: of the commit, or of this checkout."""
    for path in (root / record.lock_file, SOURCE_ROOT / record.lock_file):
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == record.lock_hash:
            return path
    raise GoneError(
        f"The lock file is gone: neither commit {record.commit} nor this checkout has the {record.lock_file} with the "
        f"SHA-256 {record.lock_hash[:12]}…, so the libraries of the training are not known."
    )


def _pins(lock: Path) -> dict[str, set[str]]:
    """Return by package the versions that a lock names; there are several where platforms differ."""
    pins: dict[str, set[str]] = {}
    for package, pinned in _PIN.findall(lock.read_text(encoding="utf-8")):
        pins.setdefault(package, set()).add(pinned)
    return pins


def _compared(lock: Path) -> tuple[int, list[str]]:
    """Return how many packages are installed here in the same version, and which ones in another.

    One that is not installed changes no answer.
    """
    same, differing = 0, []
    for package, pinned in _pins(lock).items():
        try:
            installed = version(package)
        except PackageNotFoundError:
            continue
        if installed in pinned:
            same += 1
        else:
            differing.append(f"{package} {installed} instead of {' or '.join(sorted(pinned))}")
    return same, differing


def _install(lock: Path, target: Path, python: str) -> None:
    """Install a lock into an environment of its own, by its hashes. Raises `InstallationError`."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise InstallationError("uv is not installed here; 'make install' sets up .venv, which has it")
    interpreter = sys.executable if _minor(python) == _minor(python_version()) else _minor(python)
    target.parent.mkdir(parents=True, exist_ok=True)
    _run([uv, "venv", "--quiet", "--clear", "--python", interpreter, str(target)])
    _run(
        [uv, "pip", "install", "--quiet", "--python", str(target / "bin" / "python"), "--require-hashes", "--no-deps",
         "--requirement", str(lock)]
    )  # fmt: skip
    (target / _WHOLE).touch()


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallationError(f"the libraries cannot be installed: {type(error).__name__}") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or "uv said nothing"
        raise InstallationError(f"the libraries cannot be installed: {said[:500]}")


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])
