"""The way back to the version that was in production before."""

import streamlit as st

from ui import confirmation, failures, session
from ui.i18n import Messages
from ui.services.monitor import Registry

text = Messages("models")
_DONE = "models_rolled_back"
_QUESTION = "roll back"


def show(registry: Registry) -> None:
    """Say what a rollback would do, and offer it."""
    st.header(text("rollback"))
    if not registry["production"] or not registry["previous"]:
        st.write(text("no_way_back"))
        return
    st.write(text("rollback_effect", now=registry["production"], previous=registry["previous"]))
    st.button(text("rollback_open"), icon=":material/undo:", on_click=confirmation.ask, args=(_QUESTION,))
    confirmation.show(_QUESTION, text("rollback_title", previous=registry["previous"]), lambda: _confirm(registry))


def show_done() -> None:
    """Say once what the last rollback did."""
    if sentence := st.session_state.pop(_DONE, None):
        st.success(sentence, icon=":material/check_circle:")


def _confirm(registry: Registry) -> None:
    leaving = str(registry["production"])
    st.write(text("rollback_effect", now=registry["production"], previous=registry["previous"]))
    reason = st.text_input(text("reason"), max_chars=200, key="models_reason", help=text("reason_help"))
    if st.button(text("rollback_confirm"), type="primary", disabled=not reason.strip()):
        with failures.shown(), st.spinner(text("rolling_back")):
            moved = session.monitor().roll_back(reason.strip(), leaving)
            sentence = text("rolled_back", now=moved["now"], left=moved["left"])
            if moved["skipped"]:
                sentence += " " + text("skipped", versions=", ".join(moved["skipped"]))
            st.session_state[_DONE] = sentence
            confirmation.close()
            st.rerun()
