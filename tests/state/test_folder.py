"""The state folder: where it is, what it exports, and who may write to it."""

import os
from pathlib import Path

import pytest

from state.folder import State, StateError
from tests.conftest import ROOT


def test_without_a_named_state_nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIR")
    assert State.chosen(None).exports() == {}
    assert State.chosen(None).folder == ROOT / ".state"


def test_the_option_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "variable"))
    assert State.chosen(None) == State(tmp_path / "variable", moved=True)
    assert State.chosen(tmp_path / "option") == State(tmp_path / "option", moved=True)


def test_one_process_at_a_time_uses_the_folder(tmp_path: Path) -> None:
    state = State(tmp_path, moved=True)
    message = rf"'first' \(process {os.getpid()}, since .*\) is using the state folder {tmp_path}; wait until it ends"
    with state.locked("first"), pytest.raises(StateError, match=message), state.locked("second"):
        pass
    with state.locked("third"):
        pass


def test_commands_with_different_locks_run_together(tmp_path: Path) -> None:
    state = State(tmp_path, moved=True)
    with state.locked("run.py train"), state.locked("run.py monitor", "monitor.lock"):
        pass


def test_an_error_of_the_body_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the body failed"), State(tmp_path, moved=True).locked("first"):
        raise ValueError("the body failed")


def test_a_lock_that_cannot_be_taken_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run.lock").mkdir()
    with (
        pytest.raises(StateError, match=r"run\.lock cannot be taken: Is a directory"),
        State(tmp_path, moved=True).locked("a"),
    ):
        pass
