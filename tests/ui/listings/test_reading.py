"""Files as catalogue teams have them: every separator and encoding, Excel, and what is wrong in them."""

import io

import pandas as pd
import pytest

from ui.listings import columns
from ui.listings.reading import MOST_ROWS, ReadingError, Table, read_file, read_text

ROWS = [["sku", "Titre", "Description"], ["1", "Théière, en fonte", "pour 4 personnes"], ["2", "Étagère", ""]]


def cells(table: Table) -> list[list[str]]:
    return [list(row) for row in table.frame.to_numpy().tolist()]


def written(separator: str, encoding: str) -> bytes:
    text = io.StringIO()
    pd.DataFrame(ROWS).to_csv(text, sep=separator, header=False, index=False)
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separator_and_encoding_are_found_out(separator: str, encoding: str) -> None:
    table = read_file("a.csv", written(separator, encoding))
    assert cells(table) == ROWS
    assert table.separator == separator


def test_an_excel_file_is_read_as_texts_with_the_rows_of_the_sheet() -> None:
    target = io.BytesIO()
    pd.DataFrame([["title", "price"], ["007 watch", 12], ["", 3], ["=1+1", 4]]).to_excel(
        target, header=False, index=False, engine="xlsxwriter"
    )
    table = read_file("a.xlsx", target.getvalue())
    assert cells(table)[1] == ["007 watch", "12"]
    assert list(table.frame.index) == [1, 2, 3, 4]


def test_rows_keep_the_number_that_a_spreadsheet_shows() -> None:
    table = read_text("a", 'title,description\n"two\nlines",a\n\nlast,b\n')
    assert list(table.frame.index) == [1, 2, 4]


def test_blank_rows_before_the_first_one_are_passed_over() -> None:
    table = read_text("a", "\n  \ntitle;description\npool;round\n")
    assert cells(table) == [["title", "description"], ["pool", "round"]]
    assert list(table.frame.index) == [3, 4]
    target = io.BytesIO()
    pd.DataFrame([["", ""], ["title", "price"], ["pool", 3]]).to_excel(
        target, header=False, index=False, engine="xlsxwriter"
    )
    table = read_file("a.xlsx", target.getvalue())
    assert cells(table) == [["title", "price"], ["pool", "3"]]
    assert list(table.frame.index) == [2, 3]


def test_rows_of_another_length_are_named_and_filled_up() -> None:
    table = read_text("a", "title;description\none\ntwo;b\nthree;c;d\n")
    assert list(table.wrong_length) == [2, 4]
    assert cells(table)[1] == ["one", ""]
    assert cells(table)[3] == ["three", "c"]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"  \n", "empty"),
        ("a.csv", b"PK\x03\x04\xff\x00\x00\xfe", "binary"),
        ("a.xlsx", b"no zip", "excel"),
        ("a.csv", b"\xff\xfea", "encoding"),
        ("a.csv", b"t\n" * (MOST_ROWS + 2), "rows"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, content: bytes, kind: str) -> None:
    with pytest.raises(ReadingError) as error:
        read_file(name, content)
    assert error.value.kind == kind


@pytest.mark.parametrize(
    ("first", "title", "description"),
    [
        (["sku", "Titre", "Description"], 1, 2),
        (["Produktbeschreibung", "Titel"], 1, 0),
        (["", "designation", "description", "productid"], 1, 2),
        (["Libellé", "Prix"], 0, None),
        (["Product Name", "Price"], 0, None),
    ],
)
def test_columns_are_guessed_by_their_names(first: list[str], title: int, description: int | None) -> None:
    frame = pd.DataFrame([first, ["x"] * len(first)])
    assert columns.guess(frame) == columns.Columns(title, description, header=True)


def test_without_names_the_first_column_with_words_is_the_title() -> None:
    frame = pd.DataFrame([["1", "Garden chair green", "12.50"], ["2", "Inflatable round pool", "99"]])
    found = columns.guess(frame)
    assert (found.title, found.header) == (1, False)
    assert columns.names(frame, header=False) == ["A", "B", "C"]


def test_every_column_gets_a_name_of_its_own() -> None:
    assert columns.names(pd.DataFrame([["a", "a", ""]]), header=True) == ["a", "a_2", "C"]
