"""Opening the ledger's database: SQLite by default, PostgreSQL with `DATABASE_URL`."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

_POOL = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 5}  # of one process
_SYNCHRONOUS = ("NORMAL", "FULL")
_SYNCHRONOUS_OPTION = "ledger_synchronous"
_WRITE_TIMEOUT = 5  # seconds that a writer waits for another
_POSTGRESQL = {
    "connect_timeout": 3,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds: a machine that is gone never closes the connection
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
_OPTIONS = "-c statement_timeout=10000 -c timezone=UTC"


class LedgerError(RuntimeError):
    """The ledger does not answer, or cannot be read or written. Names its address, and never a query."""


def read_address(url: str) -> URL:
    """Return the address in a URL. Raises `LedgerError` for one that a ledger cannot have."""
    if url != url.strip() or not url.isprintable():
        raise LedgerError("DATABASE_URL has white space around it, or a control character: remove it")
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is no number
        raise LedgerError("DATABASE_URL must be an address such as sqlite:////PATH or postgresql://HOST/NAME") from None
    backend, _, driver = address.drivername.partition("+")
    if backend == "sqlite":
        if (address.database or ":memory:").startswith((":memory:", "file:")):
            raise LedgerError("a ledger in SQLite needs a file: DATABASE_URL=sqlite:////PATH")
        return address.set(drivername="sqlite")
    if backend in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return address.set(drivername="postgresql+psycopg")
    raise LedgerError(f"DATABASE_URL names {address.drivername}, but a ledger needs sqlite or postgresql")


def open_engine(url: str) -> Engine:
    """Return the engine of a ledger, not connected yet.

    A commit survives the end of any process. With `LEDGER_SYNCHRONOUS=FULL` (default NORMAL) SQLite waits for the disk
    at every commit, so that it survives a loss of power too; PostgreSQL always does.

    Raises `LedgerError` for a wrong address, `ValueError` for another value of `LEDGER_SYNCHRONOUS`.
    """
    address = read_address(url)
    synchronous = (os.environ.get("LEDGER_SYNCHRONOUS") or "NORMAL").upper()
    if synchronous not in _SYNCHRONOUS:
        raise ValueError(f"LEDGER_SYNCHRONOUS must be {' or '.join(_SYNCHRONOUS)}, not {synchronous!r}")
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, synchronous)
    given = address.query.get("options", "")
    connect = {**_POSTGRESQL, "options": f"{_OPTIONS} {given if isinstance(given, str) else ' '.join(given)}"}
    return create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=connect, **_POOL)


def commits_at_once(engine: Engine) -> bool:
    """Return whether a commit waits neither for the network nor for the disk."""
    return engine.get_execution_options().get(_SYNCHRONOUS_OPTION) == "NORMAL"


def open_without_waiting(engine: Engine) -> sqlite3.Connection:
    """Return a driver's connection to a ledger in SQLite that fails at once while another connection writes.

    The caller begins transactions. The connection may be used by several threads, one at a time.
    """
    address = f"{Path(str(engine.url.database)).absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, timeout=0, uri=True, check_same_thread=False)
    _prepare(connection, "NORMAL")
    return connection


def _open_sqlite(address: URL, synchronous: str) -> Engine:
    options = {_SYNCHRONOUS_OPTION: synchronous}
    connect = {"timeout": _WRITE_TIMEOUT}
    engine = create_engine(address, hide_parameters=True, connect_args=connect, execution_options=options, **_POOL)
    # One INSERT of many rows: in an executemany the driver releases Python's lock at every row, and beside a busy event
    # loop it waits up to 5 ms to get it back: 135 ms for 64 predictions instead of 7.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    _configure_sqlite(engine, synchronous)
    return engine


def _configure_sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "do_connect")
    def create(_dialect: Any, _record: Any, _arguments: Any, _named: Any) -> None:
        # Create the file only if it does not exist: closing a file releases all locks of this process on it. Another
        # process would then believe that it is the last user, and delete the write-ahead log that is still in use.
        with suppress(OSError):  # SQLite's own error says more
            os.close(os.open(str(engine.url.database), os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        _prepare(connection, synchronous)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once. Of two transactions that read first and then write, SQLite refuses one.
        writes = connection.get_execution_options().get("ledger_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    # Takes effect in a new file only, and before the others. In an existing one it would wait for whoever writes.
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    # What is deleted is overwritten with zeros.
    for pragma in ("journal_mode = WAL", f"synchronous = {synchronous}", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
