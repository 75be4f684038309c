"""Tables as CSV and Excel files. No cell becomes a formula when somebody opens them."""

import io
import re

import pandas as pd

_FORMULA = re.compile(r"^[=+\-@\t\r\n]")
_NUMBER = re.compile(r"^[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?$", re.IGNORECASE)
_CELL = 32_767  # characters that a cell of Excel holds


def csv_bytes(frame: pd.DataFrame, separator: str) -> bytes:
    """Return a table as CSV in UTF-8 with the mark that Excel needs.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    safe = frame.astype(object).map(_as_text).rename(columns=_as_text)
    return safe.to_csv(index=False, sep=separator, lineterminator="\r\n").encode("utf-8-sig", "replace")


def excel_bytes(frame: pd.DataFrame, sheet: str) -> bytes:
    """Return a table as an Excel file. Texts are written as texts, whatever they begin with."""
    import xlsxwriter

    target = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }  # fmt: skip
    with xlsxwriter.Workbook(target, options) as book:
        page = book.add_worksheet(sheet)
        bold = book.add_format({"bold": True})
        page.freeze_panes(1, 0)
        for place, name in enumerate(frame.columns):
            page.write_string(0, place, str(name)[:_CELL], bold)
        for number, row in enumerate(frame.itertuples(index=False, name=None), 1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(number, place, value[:_CELL])
                elif value is not None and not pd.isna(value):
                    page.write(number, place, value)
    return target.getvalue()


def _as_text(value: object) -> object:
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.match(value):
        return f"'{value}"
    return value
