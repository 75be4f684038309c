"""ZenML's folder is shared by all clones of a user: who creates what is in it, and what is said where that fails."""

import pwd
from pathlib import Path

import pytest

from stacks.bentos import BentoStoreError, require_store, store_folder
from stacks.files import StackError
from stacks.home import alone_in_zenml, zenml_home
from state.lock import hold
from tests.system.workspace import Workspace


@pytest.mark.system
def test_two_processes_open_a_fresh_home_at_once(tmp_path: Path) -> None:
    started = [Workspace(tmp_path).start("env", "--tracker") for _ in range(2)]
    answers = [process.communicate(timeout=600) for process in started]
    assert [process.returncode for process in started] == [0, 0], answers
    assert answers[0][0] == answers[1][0]
    assert "MLFLOW_TRACKING_URI=sqlite:" in answers[0][0]


def test_the_lock_is_in_the_folder_that_is_shared_and_may_be_taken_again_inside() -> None:
    with alone_in_zenml(), alone_in_zenml():
        [lock] = zenml_home().glob("product-types.lock")
        assert lock.read_text()
    with hold(lock, "another"):
        pass


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "file" / "zenml"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "file" / "bentoml"))
    with pytest.raises(StackError, match=f"ZenML's folder {tmp_path}/file/zenml cannot be written to .*--state DIR"):
        alone_in_zenml().__enter__()
    with pytest.raises(BentoStoreError, match=f"the Bento store {tmp_path}/file/bentoml cannot be written to"):
        require_store()


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_number: int) -> None:
        raise KeyError

    for variable in ("HOME", "XDG_CONFIG_HOME", "ZENML_CONFIG_PATH", "BENTOML_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(StackError, match="no home folder: set HOME"):
        zenml_home()
    with pytest.raises(BentoStoreError, match="no home folder: set HOME"):
        store_folder()
