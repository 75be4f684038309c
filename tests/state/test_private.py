"""The state folder and all files in it are for their owner only, whatever the umask."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bento.deployment import prepare_auth
from state.files import write_atomically
from state.folder import State, StateError
from state.lock import hold
from tests.conftest import ROOT
from web.secret_store import random_key


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_what_is_written_under_an_open_umask_is_for_the_owner_only(tmp_path: Path) -> None:
    state = State(tmp_path / "a" / "state", moved=True)
    state.prepare()
    write_atomically(state.folder / "report.json", "{}")
    random_key(state.folder / "keys" / "jwt-secret")
    with hold(state.folder / "run.lock", "a test"):
        assert readable_by_others(state.folder) == []
    assert sorted(path.name for path in state.folder.iterdir()) == ["keys", "report.json", "run.lock"]


@pytest.mark.system
def test_a_command_writes_for_its_owner_only(tmp_path: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "run.py", "purge", "--older-than", "90d"]
    state = tmp_path / "state"
    subprocess.run(command, cwd=ROOT, env=variables | {"STATE_DIR": str(state)}, check=True, umask=0)
    assert (state / "run.lock").is_file()
    assert readable_by_others(state) == []


def test_the_service_writes_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    prepare_auth()
    assert {"ledger.db", "metrics-token", "admin-password"} <= {path.name for path in (tmp_path / "state").iterdir()}
    assert readable_by_others(tmp_path / "state") == []


def test_a_folder_that_others_may_only_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    State(tmp_path, moved=True).prepare()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_to_is_refused_with_the_command_that_closes_it(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(mode)
    command = f"chmod -R go-rwx {tmp_path}"
    with pytest.raises(StateError, match=command):
        State(tmp_path, moved=True).prepare()
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match=command):
        prepare_auth()
    subprocess.run(command, shell=True, check=True)
    State(tmp_path, moved=True).prepare()


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StateError, match=r"belongs to another user .* or name another folder with --state DIR"):
        State(tmp_path, moved=True).prepare()


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / f".report.json.{os.getpid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        write_atomically(tmp_path / "report.json", "{}")
    assert not (tmp_path / "elsewhere").exists()
