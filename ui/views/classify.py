"""The page on which one listing is classified."""

import streamlit as st

from ui import session
from ui.i18n import Messages, literal, percent
from ui.services.prediction import DESCRIPTION_CHARACTERS, TITLE_CHARACTERS, Listing, Prediction

text = Messages("classify")
_ANSWER = "classify_answer"


def page() -> None:
    """Draw the form, and the answer to what was sent last."""
    st.title(text("title"))
    with st.form("classify", border=False):
        designation = st.text_input(
            text("designation"), max_chars=TITLE_CHARACTERS, key="classify_designation", persist_state="session"
        )
        description = st.text_area(
            text("description"), max_chars=DESCRIPTION_CHARACTERS, key="classify_description", persist_state="session"
        )
        sent = st.form_submit_button(text("submit"), type="primary")
    if sent and not designation.strip():
        st.error(text("blank"), icon=":material/error:")
    elif sent:
        listing: Listing = {"designation": designation, "description": description or None}
        st.session_state[_ANSWER] = session.prediction().predict(listing)
    if answer := st.session_state.get(_ANSWER):
        _show(answer)


def _show(answer: Prediction) -> None:
    st.header(literal(answer["predicted_class"]))
    st.progress(answer["confidence"], text("confidence", share=percent(answer["confidence"])))
