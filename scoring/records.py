"""The records of a csv file in a stream: where each one ends, and what is wrong with one that cannot be read.

A file of any size is read line by line. Nothing is remembered from one record to the next, so a shard that begins with
a record is cut into the same records by whoever reads it.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

MOST_BYTES = 2**20  # of a record: title and description of a listing have 120,000 bytes at most
_BYTES_OF_CHARACTER = 4  # at most: in UTF-8 four, of a quote in csv two
_NEVER_CLOSED = "a quote opens here and is never closed"
_TEXT_BEHIND = "there is text behind a closing quote; a quote within a quoted text is written twice"
_CARRIAGE_RETURN = "a carriage return stands in a text without quotes"
_TOO_LONG = f"the row has more than {MOST_BYTES:,} bytes"


class UnreadableRecordError(ValueError):
    """A record is not csv, or not UTF-8. The message says what is wrong."""


class Record(NamedTuple):
    """A record: how many bytes and lines it has, and its fields as Latin-1 reads them, or why there are none."""

    size: int
    lines: int
    fields: list[str]
    fault: str = ""

    def texts(self) -> list[str]:
        """Return the fields, which are UTF-8. Raises `UnreadableRecordError`."""
        if self.fault:
            raise UnreadableRecordError(self.fault)
        try:
            return [field if field.isascii() else field.encode("latin-1").decode("utf-8") for field in self.fields]
        except UnicodeDecodeError as error:
            raise UnreadableRecordError(f"byte {error.object[error.start]:#04x} is not UTF-8") from None

    @property
    def is_blank(self) -> bool:
        """Whether it is a line without anything in it."""
        return not self.fields and not self.fault


def read_records(stream: BinaryIO, on_read: Callable[[bytes], None] | None = None) -> Iterator[Record]:
    """Yield the records of a stream that begins with one; blank lines too, so that sizes and lines add up.

    A record that is not csv ends with its first line, so that the following ones can be read. `on_read` gets all bytes
    in their order. The limit of csv for the length of a field is one of the whole process; it is raised.
    """
    source = _Lines(stream, on_read)
    taken: list[_Line] = []

    def pull() -> Iterator[str]:
        """Yield the lines that the reader asks for; end where a record becomes too long."""
        size = 0
        while line := source.next_line():
            size = line.size + (size if taken else 0)
            taken.append(line)
            if size > MOST_BYTES:
                return
            yield line.content.decode("latin-1")

    csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES + 1))
    reader = csv.reader(pull(), strict=True)
    while True:
        taken.clear()
        fault = ""
        try:
            fields = next(reader, None)
        except csv.Error as error:
            fields, fault = None, _fault(str(error))
        if fields is not None:
            yield Record(taken[0].size if len(taken) == 1 else sum(line.size for line in taken), len(taken), fields)
        elif taken:
            source.give_back(taken[1:])
            yield Record(taken[0].size, 1, [], _TOO_LONG if taken[0].size > MOST_BYTES else fault)
            reader = csv.reader(pull(), strict=True)
        else:
            return


def read_faultless(content: bytes) -> list[tuple[int, list[str]]] | None:
    """Return how many lines each record has and its texts, in half the time of `read_records`.

    None if a record cannot be read or may be too long: `read_records` then tells which.
    """
    records: list[tuple[int, list[str]]] = []
    ended = 0
    try:
        reader = csv.reader(io.StringIO(content.decode(), newline="\n"), strict=True)
        for texts in reader:
            if sum(map(len, texts)) + len(texts) > MOST_BYTES // _BYTES_OF_CHARACTER:
                return None
            records.append((reader.line_num - ended, texts))
            ended = reader.line_num
    except (UnicodeDecodeError, csv.Error):
        return None
    return records


def _fault(message: str) -> str:
    if "unexpected end" in message:
        return _NEVER_CLOSED
    return _CARRIAGE_RETURN if "new-line" in message else _TEXT_BEHIND


class _Line(NamedTuple):
    """A line with its end. Of one that is longer than any record may be, the content is only its begin."""

    content: bytes
    size: int


class _Lines:
    """The lines of a stream, some of which may be given back."""

    def __init__(self, stream: BinaryIO, on_read: Callable[[bytes], None] | None) -> None:
        self._stream = stream
        self._on_read = on_read
        self._waiting: deque[_Line] = deque()

    def next_line(self) -> _Line | None:
        """Return the next line; None at the end of the stream."""
        if self._waiting:
            return self._waiting.popleft()
        content = self._read()
        if len(content) <= MOST_BYTES or content.endswith(b"\n"):
            return _Line(content, len(content)) if content else None
        size = len(content)
        while (rest := self._read()) and not rest.endswith(b"\n"):
            size += len(rest)
        return _Line(content, size + len(rest))

    def give_back(self, lines: list[_Line]) -> None:
        """Let these lines come again, before the others."""
        self._waiting.extendleft(reversed(lines))

    def _read(self) -> bytes:
        content = self._stream.readline(MOST_BYTES + 1)
        if self._on_read:
            self._on_read(content)
        return content
