"""`run.py purge`: the age it takes, and what it removes."""

from pathlib import Path

import pytest

import run


def test_purge_wants_an_age_that_it_understands(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["purge", "--older-than", "soon"]) == 1
    assert "takes a number and a unit, as 90d, 12w or 36h, not 'soon'" in capfd.readouterr().err


def test_purge_of_an_empty_ledger_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    assert run.main(["purge", "--older-than", "90d"]) == 0
    assert "predictions      0 removed" in capfd.readouterr().out
