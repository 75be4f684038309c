"""Transactions in the ledger, and migrating it to the newest schema."""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ledger.engine import LedgerError, open_engine, read_address
from ledger.location import database_url
from ledger.tables import Base, FeedbackRow, UserRow

__all__ = [
    "LedgerError", "check", "database_url", "migrate", "open_engine", "reading", "reading_existing", "upsert",
    "writing",
]  # fmt: skip

_MIGRATION_LOCK = 7_016_996_765_293  # an arbitrary number that nothing else locks in the same PostgreSQL database
_NO_COLUMN = "42703"  # PostgreSQL's code of a column that a table does not have
_one_migration = threading.Lock()  # Alembic keeps its context in a module


@contextmanager
def translated(engine: Engine, done: str) -> Iterator[None]:
    """Turn every error of the database into `LedgerError`, except those about a row or a value it does not accept."""
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except (DBAPIError, PoolTimeoutError) as error:
        where = engine.url.set(query={}).render_as_string(hide_password=True)
        cause = getattr(error, "orig", None)
        code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
        if code == _NO_COLUMN or "no such column" in str(cause):
            raise LedgerError(
                f"the tables of the ledger at {where} are those of an earlier release: train a version with this one "
                "('python run.py --new-baseline') and serve it, which migrates them (docs/operations.md)"
            ) from error
        kind = type(error).__name__ + (f", {code}" if code else "")
        raise LedgerError(f"the ledger at {where} cannot be {done}: {kind}") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that reads. Raises `LedgerError` when the database does not answer."""
    with translated(engine, "read"), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes, and commit it. Raises `LedgerError` when the database does not answer."""
    with translated(engine, "written"), engine.connect() as connection:
        connection.execution_options(ledger_writes=True)
        with connection.begin():
            yield connection


@contextmanager
def reading_existing(url: str) -> Iterator[Connection | None]:
    """Open a transaction that reads, or yield None when there are no tables yet. Never creates an SQLite file.

    Raises `LedgerError` when the database does not answer.
    """
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).is_file():
            yield None
            return
        with reading(engine) as connection:
            yield connection if inspect(connection).has_table(FeedbackRow.__tablename__) else None
    finally:
        engine.dispose()


def check(engine: Engine) -> None:
    """Raise `LedgerError` unless the database has the ledger's tables, and commits what is written now.

    A lock alone would not show that the disk is full, so a few bytes are written: SQLite's own number for the
    application, as it is, or PostgreSQL's number of a transaction.
    """
    with reading(engine) as connection:
        connection.execute(select(UserRow.username).limit(1)).all()
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT txid_current()"))
        else:
            number = connection.execute(text("PRAGMA user_version")).scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version = {number:d}")


def upsert(connection: Connection, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's INSERT, which has ON CONFLICT; the `rowcount` of its result tells whether it wrote."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(table).execution_options(preserve_rowcount=True)


def migrate(url: str) -> None:
    """Migrate a ledger to the newest schema; create it where there is none. Several processes may do so at once.

    All or nothing. Raises `LedgerError` when the database does not answer or cannot be written, and when a later
    release has migrated it.
    """
    with _one_migration, _quiet(), _locked_file(read_address(url)):
        engine = open_engine(url)
        try:
            with writing(engine) as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                _upgrade(connection)
        finally:
            engine.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # imported here, since workers do not need it
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # no migration of ours leads from the revision that the tables have
        raise LedgerError(
            "a later release has migrated the tables of the ledger, and this one cannot read them: take that release, "
            "or restore the backup that was made before (docs/operations.md)"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Alembic's progress messages out of the application's log."""
    logger = logging.getLogger("alembic")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _locked_file(address: URL) -> Iterator[None]:
    """For SQLite: create the folder, and hold a lock file beside the database, by whatever link it is reached."""
    if address.get_backend_name() != "sqlite":
        yield
        return
    path = Path(str(address.database)).resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise LedgerError(f"the ledger at {address} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
