"""The answers as a table in pages, in which their user corrects them."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from ui import model, session
from ui.i18n import Messages, number
from ui.listings import answers
from ui.listings.catalogue import SHOWN, Catalogue, page_count, page_of
from ui.model import Model
from ui.services.transport import ServiceError

text = Messages("catalogue")
_TITLE, _RIGHT = "title", "right"
_VIEW = "catalogue_view"


@dataclass(frozen=True)
class _Opened:
    """A page of the table as it was opened, and what was pending then."""

    view: tuple[object, ...]
    table: pd.DataFrame
    pending: dict[int, int]


def draw(catalogue: Catalogue) -> None:
    """Draw the filter, one page of the table, and the button that stores what was corrected."""
    served = model.served()
    sizes = {shown: len(catalogue.select(shown)) for shown in SHOWN}
    shown = st.segmented_control(
        text("show"), SHOWN, default=SHOWN[0], required=True, key="catalogue_shown",
        format_func=lambda kind: f"{text(f'show_{kind}')} ({number(sizes[kind])})",
    )  # fmt: skip
    found = catalogue.select(shown or SHOWN[0])
    if found.empty:
        st.info(text("nothing"))
        return
    pages = page_count(found)
    page = 1
    if pages > 1:
        label = text("page", pages=pages)
        page = int(st.number_input(label, 1, pages, key=f"catalogue_page_{shown}_{pages}", width=220))
    _edit(catalogue, served, page_of(found, page), (shown, page))
    _draw_store(catalogue)


def _edit(catalogue: Catalogue, served: Model, rows: pd.DataFrame, view: tuple[object, ...]) -> None:
    """Draw the editor. Its table stays as it was when this view was opened: a new one would lose what is typed."""
    view = (*view, catalogue.stores, len(catalogue.answered()))
    opened: _Opened | None = st.session_state.get(_VIEW)
    if opened is None or opened.view != view:
        opened = _Opened(view, _table(catalogue, served, rows), dict(catalogue.pending))
        st.session_state[_VIEW] = opened
    table = opened.table
    edited = st.data_editor(
        table, key="catalogue_editor_" + "_".join(map(str, view)), alt=text("table"), column_config=_config(served),
        disabled=[name for name in table.columns if name not in (answers.TYPE, _RIGHT)],
    )  # fmt: skip
    _take(catalogue, served, opened, edited)


def _table(catalogue: Catalogue, served: Model, rows: pd.DataFrame) -> pd.DataFrame:
    chosen = pd.Series({**catalogue.stored, **catalogue.pending}, dtype="Int64").reindex(rows.index)
    labels = chosen.map(served.labels)
    return pd.DataFrame({
        _TITLE: catalogue.titles(rows.index),
        answers.TYPE: labels.where(chosen.notna(), rows[answers.TYPE]),
        _RIGHT: (chosen == rows[answers.CODE]).fillna(False).astype(bool),
        answers.CONFIDENCE: rows[answers.CONFIDENCE],
        answers.SECOND: rows[answers.SECOND],
        answers.LANGUAGE: rows[answers.LANGUAGE],
        answers.PROBLEM: rows[answers.PROBLEM],
    }, index=rows.index.rename(text("row")))  # fmt: skip


def _config(served: Model) -> dict[str, ColumnConfig]:
    columns = st.column_config
    return {
        "_index": columns.NumberColumn(text("row"), disabled=True),
        _TITLE: columns.TextColumn(text("column_title"), width="medium"),
        answers.TYPE: columns.SelectboxColumn(text("column_type"), options=list(served.codes), required=True),
        _RIGHT: columns.CheckboxColumn(text("column_right"), help=text("column_right_help")),
        answers.CONFIDENCE: columns.ProgressColumn(
            text("column_confidence"), format="percent", min_value=0, max_value=1
        ),
        answers.SECOND: columns.TextColumn(text("column_second")),
        answers.LANGUAGE: columns.TextColumn(text("column_language"), width="small"),
        answers.PROBLEM: columns.TextColumn(text("column_problem")),
    }


def _take(catalogue: Catalogue, served: Model, opened: _Opened, edited: pd.DataFrame) -> None:
    """Keep what was changed in the editor as pending; what was changed back is as it was when the view was opened."""
    before = opened.table
    predicted = _predicted(catalogue, edited.index)
    for row in map(int, edited.index):
        label, right = str(edited.at[row, answers.TYPE]), bool(edited.at[row, _RIGHT])
        code: int | None = opened.pending.get(row)
        if label != before.at[row, answers.TYPE]:
            code = served.codes.get(label)
        elif right != before.at[row, _RIGHT]:
            code = predicted.get(row) if right else None
        if code is None or row not in predicted:  # a row without an answer has nothing to correct
            catalogue.pending.pop(row, None)
        else:
            catalogue.pending[row] = code


def _predicted(catalogue: Catalogue, rows: pd.Index) -> dict[int, int]:
    """Return the code that was predicted for each of some rows; those without an answer are left out."""
    codes = catalogue.answered()[answers.CODE].reindex(rows).dropna()
    return {int(row): int(code) for row, code in zip(codes.index, codes, strict=True)}


def _draw_store(catalogue: Catalogue) -> None:
    count = len(catalogue.pending)
    if st.button(text("store", count=count), type="primary", disabled=not count, key="catalogue_store"):
        _store(catalogue)
        st.rerun()


def _store(catalogue: Catalogue) -> None:
    """Send every pending correction as feedback. What could not be stored stays pending. Raises `ServiceError`."""
    service, ids = session.prediction(), catalogue.answered()[answers.ID]
    pending = dict(catalogue.pending)
    bar = st.progress(0.0, text("storing"))
    for place, (row, code) in enumerate(pending.items(), 1):
        try:
            service.give_feedback(str(ids.at[row]), code)
        except ServiceError:
            bar.empty()
            raise
        del catalogue.pending[row]
        catalogue.stored[row] = code
        catalogue.stores += 1
        bar.progress(place / len(pending), text("storing"))
