"""Opening the ledger's database: SQLite by default, PostgreSQL by `DATABASE_URL`."""

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
_PATIENCE = 5  # seconds that a writer waits for another
_POSTGRESQL = {
    "connect_timeout": 3,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds: a machine that vanished says nothing, not even no
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
_OPTIONS = "-c statement_timeout=10000 -c timezone=UTC"


class LedgerError(RuntimeError):
    """The ledger does not answer, or cannot be read or written. Names its address, never what was asked of it."""


def database_url() -> str:
    """Return `DATABASE_URL`, or else the SQLite file in the state folder."""
    state = Path(os.environ.get("STATE_DIR") or Path(__file__).resolve().parents[1] / ".state")
    return os.environ.get("DATABASE_URL") or f"sqlite:///{state.resolve() / 'ledger.db'}"


def read_address(url: str) -> URL:
    """Return the address that a URL means. Raises `LedgerError` for one that no ledger can have."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise LedgerError("DATABASE_URL is no address such as sqlite:////PATH or postgresql://HOST/NAME") from None
    backend, _, driver = address.drivername.partition("+")
    if backend == "sqlite":
        if (address.database or ":memory:").startswith((":memory:", "file:")):
            raise LedgerError("a ledger in SQLite is a file: DATABASE_URL=sqlite:////PATH")
        return address.set(drivername="sqlite")
    if backend in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return address.set(drivername="postgresql+psycopg")
    raise LedgerError(f"DATABASE_URL names {address.drivername}; a ledger is kept in sqlite or postgresql")


def open_engine(url: str) -> Engine:
    """Return the engine of a ledger; nothing is connected yet.

    What was acknowledged survives the end of any process. `LEDGER_SYNCHRONOUS=FULL` (default NORMAL) makes SQLite wait
    for the disk at every commit, so that it survives a loss of power too; PostgreSQL does so by itself.

    Raises `LedgerError` for an address that is none, `ValueError` for another value of `LEDGER_SYNCHRONOUS`.
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
    """Tell whether a commit waits neither for the network nor for the disk."""
    return engine.get_execution_options().get(_SYNCHRONOUS_OPTION) == "NORMAL"


def open_impatient(engine: Engine) -> sqlite3.Connection:
    """Return a driver's connection to a ledger in SQLite that waits for nobody: where another writes it fails at once.

    Begin transactions by hand. It may change threads, but not serve two at a time.
    """
    address = f"{Path(str(engine.url.database)).absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, timeout=0, uri=True, check_same_thread=False)
    _prepare(connection, "NORMAL")
    return connection


def _open_sqlite(address: URL, synchronous: str) -> Engine:
    options = {_SYNCHRONOUS_OPTION: synchronous}
    connect = {"timeout": _PATIENCE}
    engine = create_engine(address, hide_parameters=True, connect_args=connect, execution_options=options, **_POOL)
    # One INSERT of many rows: the driver gives up Python's lock at every row of an executemany, and next to a busy
    # event loop waits up to 5 ms to have it back: 135 ms for 64 predictions instead of 7.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    _configure_sqlite(engine, synchronous)
    return engine


def _configure_sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "do_connect")
    def create(_dialect: Any, _record: Any, _arguments: Any, _named: Any) -> None:
        # Only where there is none: closing a file drops every lock that this process has on it, and another process
        # would then take itself for the last one, and remove the write-ahead log under the connections that are open.
        with suppress(OSError):  # SQLite says it better
            os.close(os.open(str(engine.url.database), os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        _prepare(connection, synchronous)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: of two that have read and then come to write, one would be turned away.
        writes = connection.get_execution_options().get("ledger_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver thinks that they should
    for pragma in ("journal_mode = WAL", f"synchronous = {synchronous}", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
