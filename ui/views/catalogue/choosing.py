"""The second step: which columns hold title and description, and which rows cannot be classified."""

import pandas as pd
import streamlit as st

from ui import session
from ui.i18n import Messages, literal
from ui.listings import columns
from ui.listings.catalogue import Catalogue
from ui.listings.checking import Checked
from ui.listings.columns import Columns
from ui.listings.job import Job
from ui.views.catalogue import held

text = Messages("catalogue")
_PREVIEW = 10  # rows
_LISTED = 1_000  # rows with a problem, in the page; the result has all


def draw(catalogue: Catalogue) -> None:
    """Draw the choice, and begin when its button is pressed."""
    rows = catalogue.rows()
    st.markdown(text("read_rows", name=literal(catalogue.table.name), count=len(rows)))
    if wrong := catalogue.table.wrong_length:
        st.warning(text("wrong_length", count=len(wrong), rows=_first(list(wrong))), icon=":material/warning:")
    chosen = _choose(catalogue)
    if chosen != catalogue.columns:
        catalogue.columns, catalogue.checked = chosen, None
        st.rerun()
    st.header(text("preview"), anchor=False)
    st.dataframe(rows.head(_PREVIEW), alt=text("preview"))
    checked = catalogue.check()
    _show_problems(catalogue, checked)
    with st.container(horizontal=True):
        label = text("classify", count=len(checked.listings))
        if st.button(label, type="primary", disabled=not checked.listings, key="catalogue_classify"):
            job = Job(checked.listings, checked.rows)
            job.start(session.prediction())
            held.keep_job(catalogue, job)
            st.rerun()
        held.draw_forget()


def _choose(catalogue: Catalogue) -> Columns:
    now = catalogue.columns
    header = st.checkbox(text("header"), value=now.header, key="catalogue_header")
    names = columns.names(catalogue.table.frame, header)
    places = list(range(len(names)))
    left, right = st.columns(2)
    title = left.selectbox(
        text("column_title"), places, index=now.title, format_func=names.__getitem__, key="catalogue_title"
    )
    others: list[int | None] = [None, *(place for place in places if place != title)]
    description = right.selectbox(
        text("column_description"), others,
        format_func=lambda place: text("no_column") if place is None else names[place],
        index=others.index(now.description) if now.description in others else 0, key="catalogue_description",
    )  # fmt: skip
    return Columns(title, description, header)


def _show_problems(catalogue: Catalogue, checked: Checked) -> None:
    problems = checked.problems
    if not problems:
        return
    st.warning(text("problems", count=len(problems)), icon=":material/warning:")
    with st.expander(text("problems_list")):
        listed = list(problems)[:_LISTED]
        starts = catalogue.titles(pd.Index(listed)).str.replace("\0", "␀").str.slice(0, 80)
        table = pd.DataFrame({
            text("row"): listed,
            text("reason"): [text(f"problem_{problems[row]}") for row in listed],
            text("beginning"): starts.tolist(),
        })  # fmt: skip
        st.dataframe(table, hide_index=True, alt=text("problems_list"))
        if len(problems) > _LISTED:
            st.caption(text("problems_more", count=len(problems) - _LISTED))


def _first(rows: list[int]) -> str:
    shown = ", ".join(map(str, rows[:10]))
    return f"{shown}, …" if len(rows) > 10 else shown
