"""The current window: which predictions are in it, and the feedback on them."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.database import LedgerError, migrate, open_engine, reading, writing
from ledger.feedback import give_feedback
from ledger.predictions import PredictionRecord, store_predictions
from ledger.windows import FEEDBACK_COLUMNS, PREDICTION_COLUMNS, Window, read_feedback_on, read_predictions
from tests.ledger.conftest import NOW, prediction

ROOT = Path(__file__).resolve().parents[2]


def window(**changes: object) -> Window:
    values: dict[str, object] = {
        "model_name": "rakuten",
        "model_version": "3",
        "since": NOW - timedelta(days=30),
        "until": NOW,
        "maximum_rows": 10,
    }
    return Window(**{**values, **changes})  # type: ignore[arg-type]


def store(engine: Engine, *records: PredictionRecord) -> None:
    with writing(engine) as connection:
        store_predictions(connection, records)


def test_the_window_is_that_of_one_version_of_one_model_the_newest_first(engine: Engine, ledger_url: str) -> None:
    older, newer = prediction(created_at=NOW - timedelta(hours=1)), prediction()
    store(
        engine, older, newer, prediction(model_version="2"), prediction(model_name="shop"),
        prediction(created_at=NOW - timedelta(days=31)), prediction(created_at=NOW + timedelta(seconds=1)),
    )  # fmt: skip
    found = read_predictions(ledger_url, window())
    assert list(found.columns) == PREDICTION_COLUMNS
    assert found["id"].tolist() == [newer.id, older.id]
    assert found["created_at"][0] == newer.created_at


def test_of_too_many_the_newest_are_kept(engine: Engine, ledger_url: str) -> None:
    records = [prediction(created_at=NOW - timedelta(minutes=minute)) for minute in range(5)]
    store(engine, *records)
    found = read_predictions(ledger_url, window(maximum_rows=2))
    assert found["id"].tolist() == [record.id for record in records[:2]]


def test_a_missing_description_is_none(engine: Engine, ledger_url: str) -> None:
    store(engine, prediction(description=None), prediction())
    assert None in read_predictions(ledger_url, window())["description"].tolist()


def test_the_last_feedback_of_each_user_on_the_window_is_read(engine: Engine, ledger_url: str) -> None:
    inside, outside = prediction(), prediction(model_version="2")
    store(engine, inside, outside)
    with writing(engine) as connection:
        for target, code, giver, role, minute in [
            (inside, 10, "rita", "reviewer", 5), (inside, 40, "rita", "reviewer", 4), (inside, 50, "bob", "user", 3),
            (outside, 60, "rita", "reviewer", 3), (inside, 60, "late", "reviewer", -1),
        ]:  # fmt: skip
            give_feedback(connection, target.id, code, giver, role, NOW - timedelta(minutes=minute))
    found = read_feedback_on(ledger_url, window())
    assert list(found.columns) == FEEDBACK_COLUMNS
    assert list(zip(found["given_by"], found["correct_code"], found["predicted_code"], strict=True)) == [
        ("rita", 40, 2583), ("bob", 50, 2583),
    ]  # fmt: skip
    assert found["trusted"].tolist() == [True, False]


def test_a_ledger_that_does_not_exist_is_an_empty_window(empty_url: str) -> None:
    assert read_predictions(empty_url, window()).empty
    assert read_feedback_on(empty_url, window()).empty
    assert empty_url.startswith("postgresql") or not Path(empty_url.removeprefix("sqlite:///")).exists()


def test_a_ledger_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to be taken for one" * 10)
    with pytest.raises(LedgerError, match=r"the ledger at sqlite:///.*ledger\.db cannot be read"):
        read_predictions(f"sqlite:///{tmp_path / 'ledger.db'}", window())


def test_a_reader_in_another_process_does_not_harm_a_running_service(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    service = open_engine(url)
    with reading(service), reading(service):  # the second connection is opened while the first one holds its locks
        pass
    script = (
        "import sys; from tests.ledger.test_windows import window; from ledger.windows import read_predictions; "
        "print(len(read_predictions(sys.argv[1], window())))"
    )

    def rows_elsewhere() -> int:
        command = [sys.executable, "-c", script, url]
        return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)

    store(service, prediction())
    assert rows_elsewhere() == 1
    assert (tmp_path / "ledger.db-wal").exists(), "the log of a running service was removed"
    store(service, prediction())
    assert rows_elsewhere() == 2
    service.dispose()
