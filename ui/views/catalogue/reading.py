"""The first step: a file, or a table that is pasted."""

from collections.abc import Callable

import streamlit as st

from ui.i18n import Messages, literal, number
from ui.listings.reading import EXCEL, MOST_ROWS, TEXT, ReadingError, Table, read_file, read_text
from ui.views.catalogue import held

text = Messages("catalogue")
_PASTED_CHARACTERS = 5_000_000


def draw() -> None:
    """Draw both ways, and keep the table of the one that was used."""
    st.write(text("intro", rows=number(MOST_ROWS)))
    from_file, from_text = st.tabs([text("tab_file"), text("tab_paste")])
    with from_file:
        uploaded = st.file_uploader(text("file"), type=[suffix[1:] for suffix in (*TEXT, *EXCEL)], key="catalogue_file")
        if uploaded is not None:
            _read(lambda: read_file(uploaded.name, uploaded.getvalue()))
    with from_text, st.form("catalogue_paste", border=False):
        pasted = st.text_area(
            text("paste"), height=220, max_chars=_PASTED_CHARACTERS, key="catalogue_pasted", persist_state="session"
        )
        if st.form_submit_button(text("read"), type="primary"):
            _read(lambda: _pasted(pasted))


def _pasted(pasted: str) -> Table:
    if not pasted.strip():
        raise ReadingError("empty")
    return read_text(text("pasted"), pasted)


def _read(read: Callable[[], Table]) -> None:
    try:
        with st.spinner(text("reading")):
            held.keep(read())
    except ReadingError as error:
        st.error(
            text(f"unreadable_{error.kind}", detail=literal(error.detail), most=MOST_ROWS), icon=":material/error:"
        )
    else:
        st.rerun()
