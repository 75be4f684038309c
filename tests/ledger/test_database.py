"""Addresses, engines, transactions, and the errors when the database does not answer."""

import stat
import threading
import traceback
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import IntegrityError

from ledger.database import LedgerError, check, database_url, migrate, open_engine, reading, writing
from ledger.predictions import find_prediction, store_predictions
from tests.ledger.conftest import NOW, prediction


def test_the_address_is_the_variable_or_a_file_in_the_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    assert database_url() == f"sqlite:///{tmp_path}/ledger.db"
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/ledger")
    assert database_url() == "postgresql://somewhere/ledger"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_means_psycopg_3(scheme: str) -> None:
    assert open_engine(f"{scheme}://host/name").url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true", "mysql://root:secret@host/name",
     "postgresql+asyncpg://root:secret@host/name", "postgresql://root:secret@host:port/name"],
)  # fmt: skip
def test_other_addresses_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(LedgerError) as caught:
        open_engine(url)
    assert "secret" not in "".join(traceback.format_exception(caught.value, chain=False))


def test_sqlite_is_set_up_on_every_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000}
    for value, number in (("NORMAL", 1), ("FULL", 2), ("", 1)):
        monkeypatch.setenv("LEDGER_SYNCHRONOUS", value)
        engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
        with reading(engine) as connection:
            for pragma, expected in {**wanted, "synchronous": number}.items():
                assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == expected
        engine.dispose()


def test_a_new_connection_reads_while_another_one_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    engine, other = open_engine(url), open_engine(url)
    with writing(engine), other.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM users")
    engine.dispose()
    other.dispose()


@pytest.mark.parametrize("url", ["sqlite:///ledger.db", "postgresql://host/name"])
def test_an_unknown_value_of_synchronous_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_SYNCHRONOUS", "OFF")
    with pytest.raises(ValueError, match="LEDGER_SYNCHRONOUS must be NORMAL or FULL, not 'OFF'"):
        open_engine(url)


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    migrate(f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    with writing(engine) as connection:
        store_predictions(connection, [prediction()])
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    engine.dispose()


def test_ping_fails_without_the_tables(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(LedgerError):
        check(engine)
    migrate(empty_url)
    check(engine)
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/ledger.db", "postgresql://eve:secret@127.0.0.1:1/ledger"])
def test_an_error_names_the_address_without_the_password(url: str) -> None:
    engine = open_engine(url)
    with pytest.raises(LedgerError, match="cannot be read") as caught:
        check(engine)
    assert make_url(url).host is None or "eve:***@127.0.0.1:1/ledger" in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(LedgerError):
        migrate(url.replace("/no/such", "/proc/no"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to be taken for one" * 10)
    with pytest.raises(LedgerError, match=r"ledger\.db cannot be read: DatabaseError, SQLITE_NOTADB"):
        check(open_engine(f"sqlite:///{tmp_path / 'ledger.db'}"))


def test_tables_of_a_later_release_are_named(ledger_url: str, engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(LedgerError, match="a later release has migrated the tables"):
        migrate(ledger_url)


def test_no_error_shows_stored_text(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE predictions RENAME TO elsewhere"))
    record = prediction(designation="private"[::-1])
    with pytest.raises(LedgerError) as caught, writing(engine) as connection:
        store_predictions(connection, [record])
    assert "private"[::-1] not in "".join(traceback.format_exception(caught.value))


def test_other_exceptions_pass_and_roll_back(engine: Engine) -> None:
    record = prediction()

    def fail() -> None:
        with writing(engine) as connection:
            store_predictions(connection, [record])
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with writing(engine) as connection:
        assert find_prediction(connection, record.id) is None
        store_predictions(connection, [record])
    with pytest.raises(IntegrityError), writing(engine) as connection:
        store_predictions(connection, [record])


def test_two_writers_that_read_first_both_succeed(engine: Engine) -> None:
    """In SQLite, a transaction that becomes a writer after another one wrote fails at once, whatever the timeout."""
    both = threading.Barrier(2)
    failed: list[Exception] = []

    def work() -> None:
        both.wait()
        for _ in range(50):
            try:
                with writing(engine) as connection:
                    find_prediction(connection, "none")
                    store_predictions(connection, [prediction()])
            except LedgerError as error:
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM predictions")).scalar() == 100
    assert not failed


def test_times_are_read_in_utc(engine: Engine) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-5)))
    record = prediction(created_at=elsewhere)
    with writing(engine) as connection:
        store_predictions(connection, [record])
    with reading(engine) as connection:
        found = find_prediction(connection, record.id)
    assert found == record
    assert found.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("given", "stored"),
    [("", ""), ("Café 😀 日本", "Café 😀 日本"), ("a\0b", "a\ufffdb"), ("half \ud83d", "half \ufffd"),
     ("\udca9\ud83d", "\ufffd\ufffd"), ("'; DROP TABLE users; --", "'; DROP TABLE users; --")],
)  # fmt: skip
def test_any_text_can_be_stored(engine: Engine, given: str, stored: str) -> None:
    record = prediction(designation=given, id="i" + given[:30])
    with writing(engine) as connection:
        store_predictions(connection, [record])
    with reading(engine) as connection:
        found = find_prediction(connection, record.id)
    assert found is not None
    assert found.designation == stored


def test_tables_of_an_earlier_release_are_named_with_the_way_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE predictions DROP COLUMN novelty"))
    with (
        pytest.raises(LedgerError, match=r"are those of an earlier release: train a version .* which migrates them"),
        reading(engine) as connection,
    ):
        find_prediction(connection, "any")
