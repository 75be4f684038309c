"""A catalogue to score: its files, its columns, and the shards into which it is cut."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Literal, cast

import fsspec

from scoring.records import Record, UnreadableRecordError, read_records

SHARD_BYTES = 8 * 2**20  # a shard ends here, also one with fewer rows than asked for
Format = Literal["csv", "parquet"]
_SUFFIXES: dict[str, Format] = {".csv": "csv", ".parquet": "parquet"}
_BOM = "\ufeff"
_TITLES, _DESCRIPTIONS = ("designation",), ("description",)
_IDS = ("index", "", "id")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class CatalogueError(ValueError):
    """A catalogue cannot be scored as it is. The message names the file and what was expected."""


@dataclass(frozen=True)
class Wanted:
    """The columns that a person named; None: the challenge's."""

    title: str | None = None
    description: str | None = None
    id: str | None = None
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """Where the columns of a file are, by position, and how many it has. `description` None: it has none."""

    count: int
    id: int
    title: int
    description: int | None
    keep: tuple[int, ...]


@dataclass(frozen=True)
class CatalogueFile:
    """A file of a catalogue: its address, its format, its columns, its size in bytes and what identifies its content.

    `extent`: how many bytes of rows it has, or row groups.
    """

    address: str
    format: Format
    columns: Columns
    size: int
    digest: str
    body: int  # where the rows begin, in bytes; of csv only
    first_line: int
    extent: int

    def require_unchanged(self) -> None:
        """Raise `CatalogueError` if the file is no longer as it was when the run began."""
        try:
            same = _size_and_digest(self.address) == (self.size, self.digest)
        except OSError as error:
            raise CatalogueError(f"{self.address} cannot be read any more: {error.strerror or error}") from error
        if not same:
            raise CatalogueError(f"{self.address} has changed during the run: remove the output and begin anew")


@dataclass(frozen=True)
class Shard:
    """A part of a file: the bytes from `start` to `end` of csv, which begin in `line`, or row groups of Parquet.

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


def find_files(address: str) -> list[str]:
    """Return the csv and Parquet files at an address: the file itself, or those of a folder, by name.

    Raises `CatalogueError` when there is none.
    """
    system, path = fsspec.core.url_to_fs(address)
    try:
        if system.isfile(path):
            names = [path]
        elif system.isdir(path):
            names = sorted(entry["name"] for entry in system.ls(path, detail=True) if entry["type"] == "file")
            names = [name for name in names if not PurePosixPath(name).name.startswith((".", "_"))]
        else:
            raise CatalogueError(f"{address}: there is no such file or folder")
    except OSError as error:
        raise CatalogueError(f"{address} cannot be read: {error.strerror or error}") from error
    for name in names:
        if PurePosixPath(name).suffix not in _SUFFIXES:
            raise CatalogueError(f"{name}: only .csv and .parquet files can be scored; decompress or convert it first")
    if not names:
        raise CatalogueError(f"{address} has no .csv or .parquet file")
    return [system.unstrip_protocol(name) if "://" in address else name for name in names]


def open_file(address: str, wanted: Wanted) -> CatalogueFile:
    """Return what is known of a file before its rows are read. Raises `CatalogueError`."""
    kind = _SUFFIXES[PurePosixPath(address).suffix]
    body, line, extent = 0, 1, 0
    try:
        with open_binary(address) as stream:
            if kind == "parquet":
                names, extent = _parquet_columns(address, stream)
            else:
                names, body, line = _read_header(address, read_records(stream))
        size, digest = _size_and_digest(address)
    except OSError as error:
        raise CatalogueError(f"{address} cannot be read: {error.strerror or error}") from error
    columns = find_columns(address, names, wanted)
    return CatalogueFile(address, kind, columns, size, digest, body, line, size - body if kind == "csv" else extent)


def open_stream(name: str, stream: BinaryIO, wanted: Wanted, rows: int) -> tuple[CatalogueFile, Iterator[Shard]]:
    """Return what is known of a csv stream that cannot be read twice, and its shards, with their bytes.

    Raises `CatalogueError`.
    """
    held = bytearray()
    records = read_records(stream, held.extend)
    names, body, line = _read_header(name, records)
    del held[:body]
    file = CatalogueFile(name, "csv", find_columns(name, names, wanted), 0, "", body, line, 0)

    def shards() -> Iterator[Shard]:
        for number, (start, end, first) in enumerate(_cut_records(records, body, line, rows)):
            content = bytes(held[: end - start])
            del held[: end - start]
            yield Shard(number, file, start, end, first, content)

    return file, shards()


def is_local(address: str) -> bool:
    """Return whether an address is a path on this machine."""
    return "://" not in address


def open_binary(address: str) -> BinaryIO:
    """Open a file for reading."""
    return open(address, "rb") if is_local(address) else cast(BinaryIO, fsspec.open(address, "rb").open())


def _read_header(address: str, records: Iterator[Record]) -> tuple[list[str], int, int]:
    """Return the names of the columns, the position of the first row, and its line. Raises `CatalogueError`."""
    body, line = 0, 1
    for record in records:
        body += record.size
        line += record.lines
        if record.is_blank:
            continue
        try:
            names = [name.strip().removeprefix(_BOM) for name in record.texts()]
        except UnreadableRecordError as error:
            raise CatalogueError(f"{address}, line {line - record.lines}: {error}") from error
        for separator, title in _SEPARATORS.items():
            if len(names) == 1 and separator in names[0]:
                raise CatalogueError(f"{address}: the columns are separated by {title}, expected commas")
        return names, body, line
    raise CatalogueError(f"{address} is empty, expected a header and rows")


def find_columns(address: str, names: Sequence[str], wanted: Wanted) -> Columns:
    """Return where the wanted columns are. Raises `CatalogueError` that names the columns there are."""
    found = ", ".join(name or "(no name)" for name in names)

    def place(options: Sequence[str]) -> int | None:
        for name in options:
            if names.count(name) > 1:
                raise CatalogueError(f"{address}: the column {name!r} is there twice; found {found}")
            if name in names:
                return names.index(name)
        return None

    def needed(name: str | None, defaults: Sequence[str], option: str) -> int:
        at = place((name,) if name is not None else defaults)
        if at is None:
            expected = name if name is not None else defaults[0]
            raise CatalogueError(f"{address} has no column {expected!r}; name it with {option} COLUMN; found {found}")
        return at

    description = (
        needed(wanted.description, (), "--description") if wanted.description is not None else place(_DESCRIPTIONS)
    )
    return Columns(
        count=len(names),
        id=needed(wanted.id, _IDS, "--id"),
        title=needed(wanted.title, _TITLES, "--title"),
        description=description,
        keep=tuple(needed(name, (), "--keep") for name in wanted.keep),
    )


def cut(files: Sequence[CatalogueFile], rows: int) -> Iterator[Shard]:
    """Yield the shards of files: at most so many rows of csv, or row groups of Parquet that have as many."""
    number = 0
    for file in files:
        with open_binary(file.address) as stream:
            if file.format == "parquet":
                pieces = _row_groups(stream, rows)
            else:
                stream.seek(file.body)
                pieces = _cut_records(read_records(stream), file.body, file.first_line, rows)
            for start, end, line in pieces:
                yield Shard(number, file, start, end, line)
                number += 1


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


def _row_groups(stream: BinaryIO, rows: int) -> Iterator[tuple[int, int, int]]:
    """Yield the numbers of the first row group and of the one behind the last, and the first row (from 1)."""
    from pyarrow.parquet import ParquetFile

    metadata = ParquetFile(stream).metadata
    start, first, held = 0, 1, 0
    for group in range(metadata.num_row_groups):
        held += metadata.row_group(group).num_rows
        if held >= rows:
            yield start, group + 1, first
            start, first, held = group + 1, first + held, 0
    if held:
        yield start, metadata.num_row_groups, first


def _parquet_columns(address: str, stream: BinaryIO) -> tuple[list[str], int]:
    """Return the names of the columns, and how many row groups there are. Raises `CatalogueError`."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(stream)
        return list(file.schema_arrow.names), file.metadata.num_row_groups
    except ArrowException as error:
        raise CatalogueError(f"{address} cannot be read as Parquet: {error}") from error


def _size_and_digest(address: str) -> tuple[int, str]:
    """Return the size of a file and what identifies its content: a SHA-256, or the tag of an object store."""
    if is_local(address):
        with open(address, "rb") as stream:
            return os.fstat(stream.fileno()).st_size, hashlib.file_digest(stream, "sha256").hexdigest()
    system, path = fsspec.core.url_to_fs(address)
    system.invalidate_cache()
    found = system.info(path)
    return int(found["size"]), f"etag {found.get('ETag')}"
