"""The page of a table: its first rows."""

import pandas as pd

from reports.rendering import render

_ROWS_SHOWN = 20
_CHARACTERS_SHOWN = 120


def first_rows_page(table: pd.DataFrame) -> str:
    """Return the first 20 rows as one HTML page; values are cut after 120 characters."""
    shown = table.head(_ROWS_SHOWN).itertuples(index=False, name=None)
    return render(
        "table_page.html.j2",
        rows=len(table),
        header=[str(column) for column in table.columns],
        values=[[str(value)[:_CHARACTERS_SHOWN] for value in row] for row in shown],
    )
