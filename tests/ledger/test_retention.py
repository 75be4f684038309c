"""What is outdated goes from the ledger, its database shrinks, and nothing of what was erased stays in its files."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from ledger import retention
from ledger.audit import Party, record_event
from ledger.database import migrate, open_engine, reading, writing
from ledger.feedback import give_feedback
from ledger.predictions import erase_predictions, find_prediction, read_erased, store_predictions
from ledger.receipts import ReceiptRecord, store_receipts
from ledger.retention import Ages, count_outdated, empty_log, remove_outdated, shrink
from ledger.tables import HoldRow
from ledger.throttle import record_attempt
from ledger.users import create_user, delete_user, list_users
from tests.ledger.conftest import NOW, prediction

MINUTE = timedelta(minutes=1)
SECRET = "a very private piscine"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "files" / "ledger.db"


@pytest.fixture
def sqlite(file: Path) -> Iterator[Engine]:
    """A ledger in SQLite, in a folder of its own."""
    migrate(f"sqlite:///{file}")
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


def content(file: Path) -> bytes:
    return b"".join(path.read_bytes() for path in file.parent.iterdir())


def test_rows_go_at_the_age_of_their_kind(engine: Engine, ledger_url: str) -> None:
    old, before, new = NOW - MINUTE, NOW, NOW
    kept, another, gone = prediction(created_at=new), prediction(created_at=new), prediction(created_at=old)
    with writing(engine) as connection:
        store_predictions(connection, [kept, another, gone, prediction(created_at=old)])
        give_feedback(connection, gone.id, 10, "alice", "user", NOW + MINUTE)
        give_feedback(connection, kept.id, 10, "alice", "user", NOW + MINUTE)
        for moment in (old, new):
            store_receipts(connection, [ReceiptRecord("alice", str(moment), "print", 200, "answer", moment)])
            record_attempt(connection, ["digest"], moment)
            record_event(connection, Party("ada"), "user created", Party("alice"), moment, role="user")
        for record, until in ((kept, old), (another, new)):
            connection.execute(insert(HoldRow).values(prediction_id=record.id, held_by="rita", held_until=until))
        for name, deleted in (("gone", old), ("deleted", new), ("active", None)):
            user = create_user(connection, name, "hash", "user", old)
            if deleted:
                delete_user(connection, user.id, deleted)
    assert set(remove_outdated(ledger_url, Ages(), NOW).values()) == set()
    requests = {"receipts": 1, "login_attempts": 1, "known_logins": 0, "review_holds": 1}
    audit = {"audit": 1, "users": 1}
    outdated = {"predictions": 2, "feedback": 1}
    assert count_outdated(ledger_url, Ages(before, before, before)) == {**outdated, **requests, **audit}
    assert remove_outdated(ledger_url, Ages(requests=before), NOW) == requests
    assert remove_outdated(ledger_url, Ages(audit=before), NOW) == audit
    assert remove_outdated(ledger_url, Ages(before, before, before), NOW) == {
        **outdated, **dict.fromkeys([*requests, *audit], 0)
    }  # fmt: skip
    with reading(engine) as connection:
        assert find_prediction(connection, kept.id) == kept
        assert [user.username for user in list_users(connection)] == ["active"]
    assert read_erased(ledger_url) == {gone.id}


def test_many_predictions_go_in_several_transactions(
    engine: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_IN_A_TRANSACTION", 2)
    old = NOW - timedelta(days=100)
    with writing(engine) as connection:
        store_predictions(connection, [prediction(created_at=old + number * MINUTE) for number in range(5)])
    assert remove_outdated(ledger_url, Ages(predictions=NOW), NOW)["predictions"] == 5


def test_the_ids_of_erased_predictions_with_feedback_are_known_without_text_and_name(
    engine: Engine, ledger_url: str
) -> None:
    corrected, other = prediction(user_id="alice"), prediction(user_id="alice")
    with writing(engine) as connection:
        store_predictions(connection, [corrected, other])
        give_feedback(connection, corrected.id, 10, "rita", "reviewer", NOW)
    assert read_erased(ledger_url) == set()
    with writing(engine) as connection:
        assert erase_predictions(connection, "alice", NOW) == 2
    assert read_erased(ledger_url) == {corrected.id}


def test_an_erased_text_is_in_no_file_of_the_ledger(sqlite: Engine, file: Path) -> None:
    with writing(sqlite) as connection:
        store_predictions(connection, [prediction(user_id="alice", designation=SECRET), prediction(user_id="bob")])
        store_receipts(connection, [ReceiptRecord("alice", "key", "print", 200, SECRET, NOW)])
    assert content(file).count(SECRET.encode()) >= 2
    with writing(sqlite) as connection:
        erase_predictions(connection, "alice", NOW)
    assert SECRET.encode() in content(file)  # in the log
    assert empty_log(sqlite)
    assert SECRET.encode() not in content(file)


def test_an_outdated_text_is_in_no_file_of_the_ledger(sqlite: Engine, file: Path) -> None:
    with writing(sqlite) as connection:
        store_predictions(connection, [prediction(designation=SECRET, created_at=NOW - MINUTE)])
    remove_outdated(str(sqlite.url), Ages(predictions=NOW), NOW)
    assert SECRET.encode() not in content(file)


def test_a_log_that_is_being_read_is_emptied_later(sqlite: Engine, file: Path) -> None:
    with writing(sqlite) as connection:
        store_predictions(connection, [prediction(user_id="alice", designation=SECRET)])
    with sqlite.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM predictions").all()
        with writing(sqlite) as connection:
            erase_predictions(connection, "alice", NOW)
        quick = open_engine(f"sqlite:///{file}")
        with quick.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            connection.rollback()
        assert not empty_log(quick)
        quick.dispose()
    assert empty_log(sqlite)
    assert SECRET.encode() not in content(file)


@pytest.mark.parametrize("earlier", [False, True])
def test_the_file_shrinks_by_what_was_removed(file: Path, *, earlier: bool) -> None:
    if earlier:  # a file of an earlier version cannot shrink until it is rebuilt once
        import sqlite3

        file.parent.mkdir()
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE unused (id)")
            connection.execute("DROP TABLE unused")
    migrate(f"sqlite:///{file}")
    engine = open_engine(f"sqlite:///{file}")
    with writing(engine) as connection:
        rows = [prediction(designation="x" * 5_000, created_at=NOW - MINUTE) for _ in range(200)]
        store_predictions(connection, rows)
    shrink(engine)
    before = file.stat().st_size
    remove_outdated(str(engine.url), Ages(predictions=NOW), NOW)
    assert (file.stat().st_size < before / 2) is not earlier
    shrink(engine, rebuild=True)
    assert file.stat().st_size < before / 2
    engine.dispose()
