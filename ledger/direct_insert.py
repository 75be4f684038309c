"""Storing one request in SQLite on the event loop: the statements of a batch, executed by the bare driver.

SQLAlchemy takes 0.25 ms for what SQLite does in 0.02 ms, and handing the request to a thread takes as long again. That
is a good part of a request that comes alone (`python -m benchmarks.serving --direct-inserts` measures it).
"""

import sqlite3
from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy import Engine

from ledger.batch import StoreRequest
from ledger.callers import is_valid_caller
from ledger.engine import open_without_waiting
from ledger.predictions import prediction_insert
from ledger.users import SELECT_ACTIVE_USERS

_FEW = 5  # records
_KEPT_SECONDS = 1  # an idle connection is used again for so long; after that the file may have been replaced


class DirectInsert:
    """Stores single requests where a commit does not wait. `check_callers`: only those of valid callers."""

    def __init__(self, engine: Engine, *, check_callers: bool) -> None:
        self._engine = engine
        self._check_callers = check_callers
        self._connection: sqlite3.Connection | None = None
        self._used_at = 0.0
        self._insert = prediction_insert(engine.dialect)
        one_user = SELECT_ACTIVE_USERS.params(ids=[""])
        self._select_user = str(one_user.compile(dialect=engine.dialect, compile_kwargs={"render_postcompile": True}))

    def store(self, request: StoreRequest) -> bool:
        """Return whether the request is committed. If not, nothing of it is stored, and a batch must store it."""
        if request.receipt or len(request.records) > _FEW:
            return False
        try:
            rows = [self._insert.converted(record) for record in request.records]
            return self._transact(request, rows)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or self._is_in_transaction():
                self.close()
            return False  # another process is writing
        except (sqlite3.Error, OverflowError, ValueError, TypeError):  # a broken file, or a value no column accepts
            self.close()
            return False

    def close(self) -> None:
        """Close the connection and roll back what is not committed."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _is_in_transaction(self) -> bool:
        return self._connection is not None and self._connection.in_transaction

    def _transact(self, request: StoreRequest, rows: list[list[Any]]) -> bool:
        if monotonic() - self._used_at > _KEPT_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = open_without_waiting(self._engine)
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if self._check_callers and not self._has_valid_caller(request):
            execute("ROLLBACK")
            return False
        for row in rows:
            execute(self._insert.statement, row)
        execute("COMMIT")
        self._used_at = monotonic()
        return True

    def _has_valid_caller(self, request: StoreRequest) -> bool:
        assert self._connection is not None
        rows = self._connection.execute(self._select_user, [request.caller.user_id])
        return is_valid_caller(request.caller, {user_id: (role, generation) for user_id, role, generation in rows})
