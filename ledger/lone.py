"""Storing one order in SQLite without leaving the event loop: the statements of the batches, by the bare driver.

SQLAlchemy takes 0.25 ms to carry out what SQLite does in 0.02, which is a good part of a lone request.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy import Engine

from ledger.batch import Order
from ledger.callers import is_valid_caller
from ledger.engine import open_impatient
from ledger.predictions import INSERT_PREDICTION, PredictionRecord
from ledger.users import SELECT_ACTIVE_USERS

_FEW = 5  # records
_KEPT_SECONDS = 1  # for how long an idle connection is trusted to lead to the file that has that name now


class LoneStore:
    """Stores single orders where a commit waits for nothing. `check_callers`: only of valid callers."""

    def __init__(self, engine: Engine, *, check_callers: bool) -> None:
        self._engine = engine
        self._check_callers = check_callers
        self._connection: sqlite3.Connection | None = None
        self._used_at = 0.0
        dialect = engine.dialect
        insertion: Any = INSERT_PREDICTION.compile(dialect=dialect)
        self._insert = str(insertion)
        columns = INSERT_PREDICTION.table.c
        self._binders: list[tuple[str, Callable[[Any], Any] | None]] = [
            (name, columns[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in insertion.positiontup
        ]
        one = SELECT_ACTIVE_USERS.params(usernames=[""]).compile(
            dialect=dialect, compile_kwargs={"render_postcompile": True}
        )
        self._select_active_users = str(one)
        *_, valid_from = SELECT_ACTIVE_USERS.selected_columns
        self._moment: Any = valid_from.type.dialect_impl(dialect).result_processor(dialect, None)

    def store(self, order: Order) -> bool:
        """Tell whether the order is committed. If not, nothing of it is: a batch does it, or says why it cannot."""
        if order.receipt or len(order.records) > _FEW:
            return False
        try:
            rows = [self._row(record) for record in order.records]
            return self._transact(order, rows)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or self._is_in_transaction():
                self.close()
            return False  # another process writes
        except (sqlite3.Error, OverflowError, ValueError, TypeError):  # broken, or no value for a column
            self.close()
            return False

    def close(self) -> None:
        """Give the connection up, with what is not committed."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _is_in_transaction(self) -> bool:
        return self._connection is not None and self._connection.in_transaction

    def _transact(self, order: Order, rows: list[list[Any]]) -> bool:
        if monotonic() - self._used_at > _KEPT_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = open_impatient(self._engine)
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        if self._check_callers and not self._has_valid_caller(order):
            execute("ROLLBACK")
            return False
        for row in rows:
            execute(self._insert, row)
        execute("COMMIT")
        self._used_at = monotonic()
        return True

    def _has_valid_caller(self, order: Order) -> bool:
        assert self._connection is not None
        rows = self._connection.execute(self._select_active_users, [order.caller.username])
        active = {username: (role, self._moment(valid_from)) for username, role, valid_from in rows}
        return is_valid_caller(order.caller, active)

    def _row(self, record: PredictionRecord) -> list[Any]:
        values = ((getattr(record, name), bind) for name, bind in self._binders)
        return [bind(value) if bind else value for value, bind in values]
