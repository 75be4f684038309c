"""The rows of a shard: where each stands, its texts, or why it cannot be used."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.contract import CONTRACT
from catalog.text import is_blank, normalise
from scoring.records import UnreadableRecordError, read_records
from scoring.shards import Columns, Shard, open_binary

_BATCH = 1_000  # rows of Parquet in memory at a time
_NORMALISED_LIMIT = CONTRACT.title_limit + CONTRACT.description_limit
_EXPANSION = 18  # the most characters that the normalised form of one has


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its line in csv, its number (from 1) in Parquet; id, title, description, and the columns to keep."""

    line: int
    id: str
    title: str
    description: str
    kept: Sequence[str]
    fault: str | None


def read_rows(shard: Shard) -> Iterator[Row]:
    """Yield the rows of a shard in their order."""
    rows = _parquet_rows(shard) if shard.file.format == "parquet" else _csv_rows(shard)
    columns = shard.file.columns
    for line, texts, fault in rows:
        if fault is None and len(texts) != columns.count:
            found = f"{len(texts)} field{'s' * (len(texts) != 1)}"
            fault = f"{found} found, {columns.count} expected as in the header"
        if fault is not None:
            yield Row(line, "", "", "", (), fault)
            continue
        yield _row(line, texts, columns)


def _row(line: int, texts: Sequence[str], columns: Columns) -> Row:
    title = texts[columns.title]
    description = texts[columns.description] if columns.description is not None else ""
    kept = [texts[place] for place in columns.keep]
    return Row(line, texts[columns.id], title, description, kept, listing_fault(title, description))


def _csv_rows(shard: Shard) -> Iterator[tuple[int, list[str], str | None]]:
    """Yield line, fields and fault of each record."""
    content = shard.content
    if content is None:
        with open_binary(shard.file.address) as stream:
            stream.seek(shard.start)
            content = stream.read(shard.end - shard.start)
    line = shard.line
    for record in read_records(io.BytesIO(content)):
        if not record.is_blank:
            try:
                yield line, record.texts(), None
            except UnreadableRecordError as error:
                yield line, [], str(error)
        line += record.lines


def _parquet_rows(shard: Shard) -> Iterator[tuple[int, list[str], str | None]]:
    """Yield the number of each row and its values as text; missing ones are empty."""
    from pyarrow.parquet import ParquetFile

    number = shard.line
    with open_binary(shard.file.address) as stream:
        groups = range(shard.start, shard.end)
        for batch in ParquetFile(stream).iter_batches(batch_size=_BATCH, row_groups=groups):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield number, [_as_text(value) for value in values], None
                number += 1


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def listing_fault(title: str, description: str) -> str | None:
    """Return why the service refuses a listing; None for one that it classifies."""
    if is_blank(title):
        return "there is no title"
    if len(title) > CONTRACT.title_limit:
        return f"the title has {len(title):,} characters, more than {CONTRACT.title_limit:,}"
    if len(description) > CONTRACT.description_limit:
        return f"the description has {len(description):,} characters, more than {CONTRACT.description_limit:,}"
    if "\0" in title or "\0" in description:
        return "there is a NUL character"
    if (len(title) + len(description)) * _EXPANSION > _NORMALISED_LIMIT and (
        len(normalise(title)) + len(normalise(description)) > _NORMALISED_LIMIT
    ):
        return f"the normalised text has more than {_NORMALISED_LIMIT:,} characters"
    return None
