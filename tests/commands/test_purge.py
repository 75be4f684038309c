"""`run.py purge`: which ages it accepts, and what it removes."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

import run
from ledger.database import migrate, open_engine, reading, writing
from ledger.predictions import store_predictions
from ledger.tables import PredictionRow
from tests.ledger.conftest import prediction


def test_an_unreadable_age_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["purge", "--older-than", "soon"]) == 1
    assert "takes a number and a unit, as 90d, 12w or 36h, not 'soon'" in capfd.readouterr().err


def test_what_is_older_goes_from_the_ledger_at_once_and_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "120")
    migrate(url)
    engine = open_engine(url)
    now = datetime.now(UTC)
    with writing(engine) as connection:
        store_predictions(connection, [prediction(created_at=now - timedelta(days=age)) for age in (100, 80)])
    for arguments, heading, left in ((["--dry-run"], "would go", 2), ([], "removed", 1)):
        assert run.main(["purge", "--older-than", "90d", *arguments]) == 0
        shown = capfd.readouterr().out
        assert heading in shown
        assert re.search(r"predictions in the ledger +1\n", re.sub(" +\n", "\n", shown))
        with reading(engine) as connection:
            assert connection.execute(select(func.count()).select_from(PredictionRow)).scalar_one() == left
    engine.dispose()


def test_rules_with_an_unknown_key_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rules.yaml").write_text("trainings: {runs: 3}")
    assert run.main(["purge", "--retention", str(tmp_path / "rules.yaml")]) == 1
    assert "trainings: Extra inputs are not permitted" in capfd.readouterr().err
