"""Rows that the bare driver inserts: the SQL and the conversion of values are SQLAlchemy's own, taken from it once.

For many rows SQLAlchemy itself takes as long as the database does.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Dialect, insert

from ledger.tables import Base

_ROWS = 1_000  # in one statement of SQLite, which accepts 32,766 values


class DriverInsert:
    """INSERT into some columns of a table. `statement`: its SQL for one row."""

    def __init__(self, table: type[Base], names: Sequence[str], dialect: Dialect) -> None:
        insertion = insert(table)
        compiled: Any = insertion.compile(dialect=dialect, column_keys=names)
        self.statement = str(compiled)
        self._names = names
        self._in_one_statement = dialect.name == "sqlite"
        columns = insertion.table.c
        assert not self._in_one_statement or compiled.positiontup == list(names)
        self._binders: list[Callable[[Any], Any] | None] = [
            columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names
        ]

    def converted(self, row: Sequence[Any]) -> list[Any]:
        """Return a row as the driver takes it. Raises what SQLAlchemy's types raise for a wrong value."""
        return [bind(value) if bind else value for bind, value in zip(self._binders, row, strict=True)]

    def execute(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, at least one; all or none. Raises SQLAlchemy's errors about the database."""
        # By columns, which takes half the time.
        values = list(zip(*map(_converted, self._binders, zip(*rows, strict=True)), strict=True))
        if not self._in_one_statement:
            named = [dict(zip(self._names, row, strict=True)) for row in values]
            connection.exec_driver_sql(self.statement, named)
            return
        # Not an executemany, in which SQLite's driver waits for Python's lock at every row (`ledger.engine`).
        for first in range(0, len(values), _ROWS):
            part = values[first : first + _ROWS]
            connection.exec_driver_sql(_of_many(self.statement, len(part)), tuple(chain.from_iterable(part)))


@lru_cache(maxsize=64)
def _of_many(statement: str, rows: int) -> str:
    head, values, row = statement.partition(" VALUES ")
    return head + values + ", ".join([row] * rows)


def _converted(bind: Callable[[Any], Any] | None, column: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as the driver takes them."""
    if bind is None:
        return column
    # Many records share an object, as the model's name, and the time of the records that a batch made together.
    objects = {id(value): value for value in column}
    if 2 * len(objects) > len(column):
        return list(map(bind, column))
    converted = {key: bind(value) for key, value in objects.items()}
    return [converted[id(value)] for value in column]
