"""The rows of a shard: where each stands, its texts, or why it cannot be used."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalog.contract import CONTRACT
from catalog.listing_size import NORMALISED_LIMIT, is_longer
from catalog.text import is_blank
from scoring.catalogue import open_binary
from scoring.columns import Columns
from scoring.parquet_rows import read_parquet
from scoring.records import UnreadableRecordError, read_faultless, read_records
from scoring.shards import Shard


@dataclass(slots=True)
class Row:
    """A row: its line in csv, its number (from 1) in Parquet; id, title, description, and the columns to keep."""

    line: int
    id: str
    title: str
    description: str
    kept: Sequence[str]
    fault: str | None


def read_rows(shard: Shard) -> Iterator[Row]:
    """Yield the rows of a shard in their order. Raises `CatalogueError` for a file that cannot be read."""
    rows = read_parquet(shard) if shard.file.format == "parquet" else _read_csv(shard)
    columns = shard.file.columns
    for line, texts, fault in rows:
        yield _row(line, texts, columns) if fault is None else Row(line, "", "", "", (), fault)


def _row(line: int, texts: Sequence[str] | Mapping[int, str], columns: Columns) -> Row:
    title = texts[columns.title]
    description = texts[columns.description] if columns.description is not None else ""
    kept = [texts[place] for place in columns.keep]
    return Row(line, texts[columns.id], title, description, kept, listing_fault(title, description))


def _read_csv(shard: Shard) -> Iterator[tuple[int, Sequence[str], str | None]]:
    """Yield line, fields and fault of each record."""
    content = shard.content
    if content is None:
        with open_binary(shard.file.address) as stream:
            stream.seek(shard.start)
            content = stream.read(shard.end - shard.start)
    line, expected = shard.line, shard.file.columns.count
    records = read_faultless(content)
    if records is not None:
        for lines, texts in records:
            if texts:  # a blank line has none
                yield line, texts, None if len(texts) == expected else _wrong_count(len(texts), expected)
            line += lines
        return
    for record in read_records(io.BytesIO(content)):
        if not record.is_blank:
            try:
                texts = record.texts()
            except UnreadableRecordError as error:
                yield line, (), str(error)
            else:
                yield line, texts, None if len(texts) == expected else _wrong_count(len(texts), expected)
        line += record.lines


def _wrong_count(found: int, expected: int) -> str:
    return f"{found} field{'s' * (found != 1)} found, {expected} expected as in the header"


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
    if is_longer(title, description, NORMALISED_LIMIT):
        return f"the normalised text has more than {NORMALISED_LIMIT:,} characters"
    return None
