"""What charts and tables have in common: colours, names for screen readers, and a table under each chart.

The colours have a contrast of at least 3 to 1 with the backgrounds of both themes. Shapes say the same as colours.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import altair as alt
import pandas as pd
import streamlit as st

from ui.i18n import Messages, literal

BLUE, ORANGE, GREEN, RED, GREY = "#3d7fd9", "#c2641c", "#2f9154", "#d64550", "#7d8794"
_ROWS_SHOWN = 10  # a longer table scrolls

Height = int | Literal["content"]
Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Row = Mapping[str, str]
text = Messages("charts")


def height_of(rows: int) -> int:
    """Return how high a chart of so many rows is with its axis and legend, in pixels."""
    return 30 * rows + 140


def show_chart(chart: Chart, name: str, rows: Sequence[Row]) -> None:
    """Draw a chart, and under it the same numbers as a table that opens. `name` says what the chart shows."""
    st.altair_chart(chart, alt=name)
    with st.expander(text("as_table")):
        show_table(rows, name)


def show_table(rows: Sequence[Row], name: str) -> None:
    """Draw rows as a table. Cells are shown as they are, whatever characters they have."""
    escaped = [{literal(column): literal(cell) for column, cell in row.items()} for row in rows]
    height: Height = 420 if len(escaped) > _ROWS_SHOWN else "content"
    st.table(pd.DataFrame(escaped), hide_index=True, border="horizontal", height=height, alt=name)
