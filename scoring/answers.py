"""The answers of a run: their columns, and how they are written."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyarrow import Schema

Answer = tuple[Any, ...]  # one value for each column
REJECTED = ("file", "line", "reason")
_COLUMNS = {
    "id": "string", "code": "int64", "label": "string", "confidence": "float64", "abstained": "bool_",
    "novelty": "bool_", "language": "string", "model_version": "string",
}  # fmt: skip
_RANKED = {"code": "int64", "label": "string", "confidence": "float64"}  # of the second, third, … type


def answer_columns(top: int, keep: Sequence[str]) -> dict[str, str]:
    """Return the columns of the answers and their types, which are pyarrow's."""
    others = {f"{name}_{rank}": kind for rank in range(2, top + 1) for name, kind in _RANKED.items()}
    return {**_COLUMNS, **others, **dict.fromkeys(keep, "string")}


def header(columns: Sequence[str]) -> bytes:
    """Return the first line of a csv file."""
    return as_csv([tuple(columns)])


def as_csv(rows: Sequence[Answer]) -> bytes:
    """Return rows as csv in UTF-8, without a header."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(_plain(rows))
    return text.getvalue().encode("utf-8", "replace")


def as_parquet(columns: dict[str, str], rows: Sequence[Answer]) -> bytes:
    """Return rows as a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = parquet_schema(columns)
    arrays = [pa.array([row[place] for row in rows], type=field.type) for place, field in enumerate(schema)]
    sink = io.BytesIO()
    parquet.write_table(pa.table(arrays, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def parquet_schema(columns: dict[str, str]) -> "Schema":
    """Return the schema of a Parquet file with these columns."""
    import pyarrow as pa

    return pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])


def _plain(rows: Sequence[Answer]) -> Iterator[list[Any]]:
    for row in rows:
        yield [str(value).lower() if isinstance(value, bool) else value for value in row]
