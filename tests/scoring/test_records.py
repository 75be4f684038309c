"""A stream of csv is cut into records whatever is in it, and the parts add up to the whole."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.records import MOST_BYTES, Record, UnreadableRecordError, read_faultless, read_records

FIELD = st.text(st.sampled_from('aé€,"\n\r;\t '), max_size=6)


def records(content: bytes) -> list[Record]:
    return list(read_records(io.BytesIO(content)))


def faults(content: bytes) -> list[str]:
    return [record.fault for record in records(content)]


@given(st.lists(st.lists(FIELD, min_size=2, max_size=3), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_csv_has_written_is_read_back(rows: list[list[str]], end: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    assert [record.texts() for record in records(text.getvalue().encode())] == rows


@given(st.lists(st.sampled_from([b"1,a", b'2,"b"', b'3,"c', b'd"e', b"", b'"', b",", b"\xff", b"\r", b'4,"x\n'])))
def test_sizes_and_lines_of_the_records_add_up_to_those_of_any_stream(lines: list[bytes]) -> None:
    content = b"\n".join(lines)
    found = records(content)
    assert sum(record.size for record in found) == len(content)
    assert sum(record.lines for record in found) == content.count(b"\n") + bool(content.rpartition(b"\n")[2])


@given(st.lists(st.sampled_from([b"1,a\n", b'2,"b\nc"\n', b'3,"c\n', b'd"e\n', b"\n", b'"\n', b'5,"x""\n'])))
def test_a_stream_that_begins_at_any_record_has_the_same_records_from_there(lines: list[bytes]) -> None:
    content = b"".join(lines)
    found, position = records(content), 0
    for number, record in enumerate(found):
        assert records(content[position:]) == found[number:]
        position += record.size


@given(st.lists(st.sampled_from([b"1,a", b'2,"b\nc"', b'3,"c', b'd"e', b"\xc3\xa9,", b"\xff", b"\r", b"", b'"\r\n"'])))
def test_the_quick_reader_finds_the_same_records_or_leaves_them_to_the_other_one(lines: list[bytes]) -> None:
    content = b"\n".join(lines)
    try:
        expected = [(record.lines, record.texts()) for record in records(content)]
    except UnreadableRecordError:
        assert read_faultless(content) is None
    else:
        assert read_faultless(content) == expected


@pytest.mark.parametrize(
    "row", [b"1," + b"x" * MOST_BYTES, b"," * MOST_BYTES, b'1,"' + b'""' * (MOST_BYTES // 2) + b'"']
)
def test_the_quick_reader_leaves_a_record_that_is_too_long_to_the_other_one(row: bytes) -> None:
    assert read_faultless(b"0,first\n" + row + b"\n") is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'1,"never closed', "a quote opens here and is never closed"),
        (b'1,"a"b,c', "there is text behind a closing quote; a quote within a quoted text is written twice"),
        (b"1,a\rb", "a carriage return stands in a text without quotes"),
        (b"1," + b"x" * MOST_BYTES, "the row has more than 1,048,576 bytes"),
    ],
)
def test_a_line_that_is_not_csv_is_named_and_the_next_ones_are_read(line: bytes, fault: str) -> None:
    assert faults(b"0,first\n" + line + b"\n2,next\n") == ["", fault, ""]


def test_a_quote_that_is_never_closed_does_not_take_the_rest_of_the_file() -> None:
    row, count = b"2," + b"x" * 197 + b"\n", 6_000
    following = row * count
    assert len(following) > MOST_BYTES
    assert faults(b'1,"open\n' + following) == ["a quote opens here and is never closed", *[""] * count]


def test_bytes_that_are_not_utf8_are_named() -> None:
    (record,) = records(b"1,caf\xe9\n")
    with pytest.raises(UnreadableRecordError, match=r"^byte 0xe9 is not UTF-8$"):
        record.texts()
