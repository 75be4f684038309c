"""The files that users take away: complete, and no cell is a formula."""

import csv
import io
import zipfile

import pandas as pd
import pytest

from tests.ui.listings.test_job import Classifier
from ui.listings.catalogue import Catalogue
from ui.listings.job import Job
from ui.listings.reading import read_file, read_text
from ui.listings.writing import csv_bytes, excel_bytes

FORMULAS = ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_of_a_csv_file_is_no_formula(text: str) -> None:
    content = csv_bytes(pd.DataFrame({text: [text]}), ",").decode("utf-8-sig")
    assert [row for row in csv.reader(io.StringIO(content, newline=""))] == [[f"'{text}"], [f"'{text}"]]


@pytest.mark.parametrize("text", ["-5", "+3.50", "-1,5", "name", "a=b"])
def test_numbers_and_words_are_written_as_they_are(text: str) -> None:
    assert csv_bytes(pd.DataFrame({"a": [text]}), ";").decode("utf-8-sig").splitlines()[1] == text


def test_excel_has_texts_as_texts_and_numbers_as_numbers() -> None:
    frame = pd.DataFrame({"a": [*FORMULAS, "http://host/x", "é" * 40_000], "b": [0.5] * 8, "c": [None] * 8})
    content = excel_bytes(frame, "types")
    found = pd.read_excel(io.BytesIO(content), engine="calamine", dtype=object)
    assert [text.strip() for text in found["a"][:7]] == [text.strip() for text in [*FORMULAS, "http://host/x"]]
    assert len(found["a"][7]) == 32_767
    assert found["b"][0] == 0.5
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


def test_the_result_has_every_row_and_column_with_answers_problems_and_corrections() -> None:
    catalogue = Catalogue.of(read_text("mine.csv", "sku,title,confidence\n1,Ball,x\n2,,y\n3,Book,z\n"))
    checked = catalogue.check()
    catalogue.job = Job(checked.listings, checked.rows)
    catalogue.job.start(Classifier())
    catalogue.job.join()
    catalogue.stored[4] = 2705
    result = catalogue.result({"blank_title": "empty title"}, {1280: "Toys", 2705: "Books"})
    assert list(result["sku"]) == ["1", "2", "3"]
    assert list(result["confidence"]) == ["x", "y", "z"]
    assert result["confidence_2"].tolist()[0] == 0.4
    assert result["problem"].tolist()[1] == "empty title"
    assert result["correct_type"].tolist()[2] == "Books"
    assert b";1280;" in csv_bytes(result, ";")
    again = read_file("a.csv", csv_bytes(result, ";"))
    assert len(again.frame) == 4


def test_uncertain_ones_come_first_and_leave_when_they_are_checked() -> None:
    catalogue = Catalogue.of(read_text("a", "title\nBall\nBook\n"))
    checked = catalogue.check()
    catalogue.job = Job(checked.listings, checked.rows)
    catalogue.job.start(Classifier())
    catalogue.job.join()
    assert list(catalogue.select("uncertain").index) == [2, 3]
    catalogue.stored[2] = 1280
    assert list(catalogue.select("uncertain").index) == [3]
    assert list(catalogue.select("corrected").index) == [2]
