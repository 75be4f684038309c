"""The libraries of a version: those that are installed here, or an environment of its own."""

import hashlib
import subprocess
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import pytest

from commands.reproduce.gone import GoneError
from commands.reproduce.libraries import InstallationError, python_of
from tests.tracking.test_training_record import a_record
from tracking.isolation import PYTHON
from tracking.training_record import TrainingRecord

HERE = f"numpy=={version('numpy')} ; python_full_version < '3.14' \\\n    --hash=sha256:0\n"


def recorded(root: Path, lock: str) -> TrainingRecord:
    """The record of a training with this lock, which the commit at `root` has."""
    root.mkdir(exist_ok=True)
    (root / "a.lock").write_text(lock)
    known = {"lock_file": "a.lock", "lock_hash": hashlib.sha256(lock.encode()).hexdigest()}
    return a_record().model_copy(update=known)


def test_this_environment_is_taken_if_its_packages_are_those_of_the_lock(tmp_path: Path) -> None:
    record = recorded(tmp_path / "root", f"{HERE}not-for-this-platform==1.0 ; sys_platform == 'win32'\n")
    python, words = python_of(record, tmp_path / "root", tmp_path / "environments", install=False)
    assert python == PYTHON
    assert words == "this environment has the same 1 packages"


def test_another_version_of_a_package_or_of_python_is_named(tmp_path: Path) -> None:
    record = recorded(tmp_path / "root", "numpy==1.0\n")
    wanted = rf"other libraries than the training: numpy {version('numpy')} instead of 1\.0\. Run again with --install"
    with pytest.raises(GoneError, match=wanted):
        python_of(record, tmp_path / "root", tmp_path / "environments", install=False)
    earlier = recorded(tmp_path / "root", HERE).model_copy(update={"python": "3.9.1"})
    with pytest.raises(GoneError, match=rf"Python {python_version()} instead of 3\.9\.1\. Run again with --install"):
        python_of(earlier, tmp_path / "root", tmp_path / "environments", install=False)


def test_a_lock_that_is_gone_is_named(tmp_path: Path) -> None:
    record = recorded(tmp_path / "root", HERE)
    (tmp_path / "root" / "a.lock").write_text("numpy==2\n")
    with pytest.raises(GoneError, match=r"The lock file is gone: neither commit \w+ nor this checkout has the a\.lock"):
        python_of(record, tmp_path / "root", tmp_path / "environments", install=True)


def test_an_environment_is_installed_once_and_used_again(tmp_path: Path) -> None:
    record = recorded(tmp_path / "root", "# no packages\n")
    python, words = python_of(record, tmp_path / "root", tmp_path / "environments", install=True)
    assert python.startswith(str(tmp_path / "environments" / record.lock_hash[:16]))
    assert words.startswith("an environment of its own")
    shown = subprocess.run([python, "-I", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    assert shown.stdout.strip() == str(Path(python).parents[1])
    assert python_of(record, tmp_path / "root", tmp_path / "environments", install=False) == (python, words)


def test_an_environment_whose_python_was_removed_is_not_used(tmp_path: Path) -> None:
    record = recorded(tmp_path / "root", HERE)
    environments = tmp_path / "environments"
    own = environments / f"{record.lock_hash[:16]}-python{'.'.join(python_version().split('.')[:2])}"
    (own / "bin").mkdir(parents=True)
    (own / "bin" / "python").symlink_to(tmp_path / "removed")
    (own / "installed").touch()
    assert python_of(record, tmp_path / "root", environments, install=False)[0] == PYTHON


def test_an_installation_that_fails_says_why_and_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    record = recorded(tmp_path / "root", "no-such-package-of-ours==1.0 --hash=sha256:" + "0" * 64 + "\n")
    for _ in range(2):
        with pytest.raises(InstallationError, match=r"the libraries cannot be installed: .*no-such-package-of-ours"):
            python_of(record, tmp_path / "root", tmp_path / "environments", install=True)
