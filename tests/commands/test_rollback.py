"""`run.py rollback` and `run.py serve` without a version in production."""

from pathlib import Path

import pytest

import run


def test_without_a_version_in_production_the_error_says_what_to_do(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    taxonomy = tmp_path / "empty-shop.csv"
    taxonomy.write_text("code,label\n1,A\n2,B\n")
    assert run.main(["rollback", "--taxonomy", str(taxonomy)]) == 1
    assert "model 'empty-shop' has no version in production: there is nothing to roll back" in capfd.readouterr().err
    assert run.main(["serve", "--taxonomy", str(taxonomy)]) == 1
    assert "train one with 'python run.py'" in capfd.readouterr().err
