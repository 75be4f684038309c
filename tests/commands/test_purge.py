"""`run.py purge`: which ages it accepts, and what it removes."""

from pathlib import Path

import pytest

import run


def test_an_unreadable_age_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["purge", "--older-than", "soon"]) == 1
    assert "takes a number and a unit, as 90d, 12w or 36h, not 'soon'" in capfd.readouterr().err


def test_nothing_is_removed_from_an_empty_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    assert run.main(["purge", "--older-than", "90d"]) == 0
    assert "predictions      0 removed" in capfd.readouterr().out
