"""Tables of texts from CSV and Excel files, and from what people paste."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import PurePath

import pandas as pd

EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
TEXT = (".csv", ".tsv", ".txt")
MOST_ROWS = 200_000
_SEPARATORS = ",;\t|"
_LOOKED_AT = 50  # rows, to guess the separator
_LONGEST_FIELD = 2**24
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class ReadingError(ValueError):
    """A file cannot be read. `kind` names the reason; `detail` has more of it."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind} {detail}".rstrip())
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        name: of the file.
        frame: all cells as texts; the index is the number of the row, as a spreadsheet shows it.
        separator: of a text file; "" for others.
        wrong_length: rows that have more or fewer cells than the first one; they are filled up or cut.
    """

    name: str
    frame: pd.DataFrame
    separator: str = ""
    wrong_length: Sequence[int] = field(default=())


def read_file(name: str, content: bytes) -> Table:
    """Return the table in a file. Raises `ReadingError`."""
    if not content.strip():
        raise ReadingError("empty")
    if PurePath(name).suffix.lower() in EXCEL:
        return _read_excel(name, content)
    return read_text(name, decode(content))


def decode(content: bytes) -> str:
    """Return bytes as text: UTF-8 or UTF-16 where a mark or the bytes say so, else Windows-1252.

    Raises `ReadingError` for bytes that are no text.
    """
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return _decoded(content, encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        if content[:4_096].count(0):
            raise ReadingError("binary") from None
        return _decoded(content, "cp1252")


def read_text(name: str, text: str) -> Table:
    """Return the table in a text with separators. Raises `ReadingError`."""
    separator = guess_separator(text)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        rows = _from_first(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ReadingError("csv", str(error)) from None
    rows = {number: row for number, row in rows.items() if row}
    width = len(next(iter(rows.values())))
    wrong = [number for number, row in rows.items() if len(row) != width]
    cells = [(row + [""] * (width - len(row)))[:width] for row in rows.values()]
    return _table(name, cells, list(rows), separator, wrong)


def guess_separator(text: str) -> str:
    """Return the separator with which the first row has the most cells and most others as many; else a comma."""
    best, most = ",", 0.0
    beginning = text[:200_000]
    whole = len(beginning) == len(text)
    for separator in _SEPARATORS:
        try:
            reader = csv.reader(io.StringIO(beginning, newline=""), delimiter=separator)
            widths = [len(row) for row, _ in zip(reader, range(_LOOKED_AT), strict=False) if any(map(str.strip, row))]
        except csv.Error:
            continue
        if not whole and len(widths) > 1:
            widths.pop()  # perhaps cut
        same = sum(width == widths[0] for width in widths) / len(widths) if widths else 0
        if widths and widths[0] > 1 and widths[0] * same > most:
            best, most = separator, widths[0] * same
    return best


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReadingError("encoding", f"{encoding}, byte {error.start}") from None


def _read_excel(name: str, content: bytes) -> Table:
    try:
        frame = pd.read_excel(
            io.BytesIO(content), engine="calamine", header=None, dtype=str, keep_default_na=False, na_filter=False
        )
    except Exception as error:  # calamine raises errors of several kinds, of zip, XML and its own
        raise ReadingError("excel", str(error)) from None
    rows = _from_first(frame.astype(str).to_numpy().tolist())
    return _table(name, list(rows.values()), list(rows))


def _from_first(rows: Iterable[list[str]]) -> dict[int, list[str]]:
    """Return rows by their number, from the first one that is not blank. Raises `ReadingError` when all are."""
    found = dict(dropwhile(lambda numbered: not any(map(str.strip, numbered[1])), enumerate(rows, 1)))
    if not found:
        raise ReadingError("empty")
    return found


def _table(
    name: str, cells: list[list[str]], numbers: list[int], separator: str = "", wrong: Sequence[int] = ()
) -> Table:
    if len(cells) > MOST_ROWS + 1:
        raise ReadingError("rows", str(len(cells) - 1))
    frame = pd.DataFrame(cells, index=numbers, dtype=object)
    return Table(name, frame, separator, wrong)
