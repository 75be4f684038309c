"""`run.py data`: the embedded listings as files."""

from pathlib import Path

import pytest

import run


def test_the_files_have_the_names_of_the_challenge(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["data", str(tmp_path / "out"), "--size", "250"]) == 0
    assert "X_train_update.csv (250 synthetic listings)" in capfd.readouterr().out
    assert len((tmp_path / "out" / "Y_train_CVw08PX.csv").read_text().splitlines()) == 251


def test_real_files_are_written_over_only_when_forced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "X_train_update.csv"
    mine.write_text("mine")
    assert run.main(["data", str(tmp_path), "--size", "250"]) == 1
    told = " ".join(capfd.readouterr().err.split())
    assert "X_train_update.csv is there already, and is not what would be written" in told
    assert "write over it with --force" in told
    assert mine.read_text() == "mine"
    assert run.main(["data", str(tmp_path), "--size", "250", "--force"]) == 0
    assert mine.read_text() != "mine"
