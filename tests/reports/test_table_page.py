"""The page of a table's first rows."""

import pandas as pd

from reports.table_page import first_rows_page
from tests.reports.reading import Page


def test_the_first_twenty_rows_are_shown() -> None:
    page = Page(first_rows_page(pd.DataFrame({"index": range(1_000)})))
    page.assert_it_loads_nothing()
    assert page.text == f"First rows 1,000 rows, the first 20 of them: index {' '.join(map(str, range(20)))}"


def test_long_texts_are_cut_and_markup_is_escaped() -> None:
    table = pd.DataFrame({"<i>name": ["x" * 119 + "yz", "<script>alert(1)</script>"], "description": [None, "a&b"]})
    page = first_rows_page(table)
    assert not {"i", "script"} & Page(page).tags
    assert f"<td>{'x' * 119}y</td>" in page
    assert "<td>a&amp;b</td>" in page


def test_an_empty_table_has_its_header_only() -> None:
    assert Page(first_rows_page(pd.DataFrame({"index": []}))).text == "First rows 0 rows, the first 0 of them: index"
