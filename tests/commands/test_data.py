"""`run.py data`: the embedded listings as files."""

from pathlib import Path

import pytest

import run


def test_the_files_have_the_names_of_the_challenge(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["data", str(tmp_path / "out"), "--size", "250"]) == 0
    assert "X_train_update.csv (250 synthetic listings)" in capfd.readouterr().out
    assert len((tmp_path / "out" / "Y_train_CVw08PX.csv").read_text().splitlines()) == 251
