"""Strict reading of a csv file: each row has as many fields as the header, or the error names the row.

Nothing is guessed. UTF-8 with or without a byte order mark, all kinds of line ends, quoted line breaks and gzip (by the
name, `.gz`) are read. Blank lines are skipped.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE_END = re.compile(rb"\r\n?|\n")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class CsvTableError(ValueError):
    """A file is not a table in csv; the message names the file, the line, and what was expected."""


@dataclass(frozen=True)
class Row:
    """A row of a table: its number (from 1, without the header), the line in which it begins, and its fields."""

    number: int
    line: int
    fields: list[str]


@dataclass(frozen=True)
class CsvTable:
    """The columns of a file, as its header names them, and its rows, which are read one by one."""

    columns: list[str]
    rows: Iterator[Row]


def read_csv_table(path: Path) -> CsvTable:
    """Read a file's header; the rows are read as they are asked for.

    Raises `CsvTableError`, also while the rows are read, and `FileNotFoundError`.
    """
    text = _decoded(path, content_of(path))
    rows = _strict_rows(path, text)
    header = next(rows, None)
    if header is None:
        raise CsvTableError(f"{path} is empty, expected a header and rows")
    for separator, name in _SEPARATORS.items():
        if len(header.fields) == 1 and separator in header.fields[0]:
            raise CsvTableError(f"{path}, line 1: the columns are separated by {name}, expected commas")
    columns = [name.strip() for name in header.fields]
    return CsvTable(columns, _complete(path, rows, len(columns)))


def content_of(path: Path) -> bytes:
    """Return a file's bytes, decompressed if its name ends in `.gz`. Raises `CsvTableError` and `FileNotFoundError`."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError:
        raise
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CsvTableError(f"{path} cannot be decompressed: it is damaged, or not gzip") from error
    except OSError as error:
        raise CsvTableError(f"{path} cannot be read: {error.strerror}") from error


def _decoded(path: Path, content: bytes) -> str:
    if (position := content.find(b"\0")) >= 0:
        raise CsvTableError(f"{path}, line {_line_at(content, position)}: a NUL byte, expected text in UTF-8")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        fault = f"byte {error.object[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise CsvTableError(f"{path}, line {_line_at(error.object, error.start)}: {fault}") from None


def _line_at(content: bytes, position: int) -> int:
    return len(_LINE_END.findall(content, 0, position)) + 1


def _strict_rows(path: Path, text: str) -> Iterator[Row]:
    """Yield all rows that are not blank, the header as number 0."""
    number, line = 0, 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        # The limit is one of the whole process, so it is raised for one row at a time.
        limit = csv.field_size_limit(max(len(text) + 1, 131_072))
        try:
            fields = next(reader, None)
        except csv.Error as error:
            where = f"row {number} (line {line})" if number else f"line {line}"
            raise CsvTableError(f"{path}, {where}: {_quoting(error)}") from None
        finally:
            csv.field_size_limit(limit)
        if fields is None:
            return
        if fields:
            yield Row(number, line, fields)
            number += 1
        line = reader.line_num + 1


def _quoting(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quote opens here and is never closed"
    return "there is text behind a closing quote; a quote within a quoted text is written twice"


def _complete(path: Path, rows: Iterator[Row], expected: int) -> Iterator[Row]:
    """Yield the rows. Raises `CsvTableError` at the first one that has more or fewer fields than the header."""
    for row in rows:
        if (found := len(row.fields)) != expected:
            hint = ""
            if found > expected:
                at_the_end = found == expected + 1 and not row.fields[-1]
                hint = "; there is a comma at its end" if at_the_end else "; a text with a comma must be in quotes"
            count = f"{found} field{'s' * (found != 1)} found, {expected} expected as in the header"
            raise CsvTableError(f"{path}, row {row.number} (line {row.line}): {count}{hint}")
        yield row
