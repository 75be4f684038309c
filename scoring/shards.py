"""The shards into which a catalogue is cut. The same catalogue is always cut into the same ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from scoring.catalogue import CatalogueFile, open_binary, read_header
from scoring.columns import Wanted, find_columns
from scoring.records import Record, read_records

SHARD_BYTES = 8 * 2**20  # a shard of csv ends here, also one with fewer rows than asked for
# A row group of Parquet with more shards' rows than this is cut. Each piece is found by reading over what is before it
# in its group, so many small pieces would cost more.
_MOST_OF_A_GROUP = 10


@dataclass(frozen=True)
class Shard:
    """A part of a file: the bytes from `start` to `end` of csv, which begin in `line`, or such rows of Parquet.

    `content`: the bytes themselves, of a stream that cannot be read twice.
    """

    number: int
    file: CatalogueFile
    start: int
    end: int
    line: int
    content: bytes | None = None

    @property
    def bytes(self) -> float:
        """How much of the catalogue this is, for the progress."""
        if self.content is not None:
            return len(self.content)
        return self.file.size * (self.end - self.start) / max(self.file.extent, 1)


def cut(files: Sequence[CatalogueFile], rows: int) -> Iterator[Shard]:
    """Yield the shards of files: at most so many rows of csv; of Parquet, row groups that have as many."""
    number = 0
    for file in files:
        with open_binary(file.address) as stream:
            if file.format == "parquet":
                pieces = _cut_row_groups(stream, rows)
            else:
                stream.seek(file.body)
                pieces = _cut_records(read_records(stream), file.body, file.first_line, rows)
            for start, end, line in pieces:
                yield Shard(number, file, start, end, line)
                number += 1


def cut_stream(name: str, stream: BinaryIO, wanted: Wanted, rows: int) -> Iterator[Shard]:
    """Return the shards, with their bytes, of a csv stream that cannot be read twice. Raises `CatalogueError`."""
    held = bytearray()
    records = read_records(stream, held.extend)
    names, body, line = read_header(name, records)
    del held[:body]
    file = CatalogueFile(name, "csv", find_columns(name, names, wanted), 0, "", body, line, 0)

    def shards() -> Iterator[Shard]:
        for number, (start, end, first) in enumerate(_cut_records(records, body, line, rows)):
            content = bytes(held[: end - start])
            del held[: end - start]
            yield Shard(number, file, start, end, first, content)

    return shards()


def _cut_records(records: Iterator[Record], position: int, line: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and first line of each shard."""
    start, first, held = position, line, 0
    for record in records:
        position += record.size
        line += record.lines
        held += not record.is_blank
        if held >= rows or position - start >= SHARD_BYTES:
            yield start, position, first
            start, first, held = position, line, 0
    if held:
        yield start, position, first


def _cut_row_groups(stream: BinaryIO, rows: int) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and the number of the first row (from 1) of each shard."""
    from pyarrow.parquet import ParquetFile

    metadata = ParquetFile(stream).metadata
    start = end = 0
    for group in range(metadata.num_row_groups):
        end += metadata.row_group(group).num_rows
        while end - start > rows * _MOST_OF_A_GROUP:
            yield start, start + rows * _MOST_OF_A_GROUP, start + 1
            start += rows * _MOST_OF_A_GROUP
        if end - start >= rows:
            yield start, end, start + 1
            start = end
    if end > start:
        yield start, end, start + 1
