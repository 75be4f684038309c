"""A catalogue to score: its files, what identifies their content, and their columns."""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

from fsspec.implementations.local import LocalFileSystem

from scoring.columns import CatalogueError, Columns, Wanted, find_columns
from scoring.place import AddressError, find_system
from scoring.records import Record, UnreadableRecordError, read_records

Format = Literal["csv", "parquet"]
_SUFFIXES: dict[str, Format] = {".csv": "csv", ".parquet": "parquet"}
_BOM = b"\xef\xbb\xbf"
_BUFFER = 2**20  # bytes
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class CatalogueFile:
    """A file of a catalogue: its address, its format, its columns, its size in bytes and what identifies its content.

    `body`: where the rows of csv begin, in bytes, and in which line. `extent`: bytes of csv, or rows of Parquet.
    """

    address: str
    format: Format
    columns: Columns
    size: int
    digest: str
    body: int
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


def find_files(address: str) -> list[str]:
    """Return the csv and Parquet files at an address: the file itself, or those of a folder and its folders, by name.

    Files and folders whose names begin with a dot or `_` are left out. Raises `CatalogueError`.
    """
    try:
        system, path = find_system(address)
        if system.isfile(path):
            names = [path]
        elif system.isdir(path):
            names = [name for name in sorted(system.find(path)) if not _is_hidden(name.removeprefix(path))]
        else:
            raise CatalogueError(f"{address}: there is no such file or folder")
    except AddressError as error:
        raise CatalogueError(str(error)) from error
    except OSError as error:
        raise CatalogueError(f"{address} cannot be read: {error.strerror or error}") from error
    for name in names:
        if PurePosixPath(name).suffix.lower() not in _SUFFIXES:
            raise CatalogueError(f"{name}: only .csv and .parquet files can be scored; decompress or convert it first")
    if not names:
        raise CatalogueError(f"{address} has no .csv or .parquet file")
    return names if isinstance(system, LocalFileSystem) else [system.unstrip_protocol(name) for name in names]


def open_file(address: str, wanted: Wanted) -> CatalogueFile:
    """Return what is known of a file before its rows are read. Raises `CatalogueError`."""
    kind = _SUFFIXES[PurePosixPath(address).suffix.lower()]
    body, line, extent = 0, 1, 0
    try:
        with open_binary(address) as stream:
            if kind == "parquet":
                names, extent = _parquet_columns(address, stream)
            else:
                mark = len(_BOM) if stream.read(len(_BOM)) == _BOM else 0
                stream.seek(mark)
                names, body, line = read_header(address, read_records(stream))
                body += mark
        size, digest = _size_and_digest(address)
    except OSError as error:
        raise CatalogueError(f"{address} cannot be read: {error.strerror or error}") from error
    columns = find_columns(address, names, wanted)
    return CatalogueFile(address, kind, columns, size, digest, body, line, size - body if kind == "csv" else extent)


def open_binary(address: str) -> BinaryIO:
    """Open a file for reading."""
    system, path = find_system(address)
    if isinstance(system, LocalFileSystem):
        return open(path, "rb")
    return io.BufferedReader(system.open(path, "rb"), _BUFFER)  # fsspec's own files read no part of a line


def read_header(address: str, records: Iterator[Record]) -> tuple[list[str], int, int]:
    """Return the names of the columns, the position of the first row, and its line. Raises `CatalogueError`."""
    body, line = 0, 1
    for record in records:
        body += record.size
        line += record.lines
        if record.is_blank:
            continue
        try:
            names = [name.strip().removeprefix(_BOM.decode()) for name in record.texts()]
        except UnreadableRecordError as error:
            raise CatalogueError(f"{address}, line {line - record.lines}: {error}") from error
        for separator, title in _SEPARATORS.items():
            if len(names) == 1 and separator in names[0]:
                raise CatalogueError(f"{address}: the columns are separated by {title}, expected commas")
        return names, body, line
    raise CatalogueError(f"{address} is empty, expected a header and rows")


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(path).parts)


def _parquet_columns(address: str, stream: BinaryIO) -> tuple[Sequence[str], int]:
    """Return the names of the columns, and how many rows there are. Raises `CatalogueError`."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(stream)
        return file.schema_arrow.names, file.metadata.num_rows
    except ArrowException as error:
        raise CatalogueError(f"{address} cannot be read as Parquet: {error}") from error


def _size_and_digest(address: str) -> tuple[int, str]:
    """Return the size of a file and what identifies its content: a SHA-256, or the tag of an object store."""
    system, path = find_system(address)
    if isinstance(system, LocalFileSystem):
        with open(path, "rb") as stream:
            return os.fstat(stream.fileno()).st_size, hashlib.file_digest(stream, "sha256").hexdigest()
    found = system.info(path)
    return int(found["size"]), f"etag {found['ETag']}"
