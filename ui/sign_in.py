"""The sign-in form."""

import streamlit as st

from ui import failures, session
from ui.i18n import Messages
from ui.services.transport import ServiceError

text = Messages("sign_in")


def form() -> None:
    """Draw the form. What was typed on the page below it is kept in the session."""
    before = session.login()
    st.title(text("title"))
    if before is None:
        st.write(text("intro"))
    else:
        st.warning(text("ended"), icon=":material/lock_clock:")
    with st.form("sign_in", border=True):
        username = st.text_input(
            text("username"), value=before.user["username"] if before else "", autocomplete="username", max_chars=64
        )
        password = st.text_input(
            text("password"), type="password", autocomplete="current-password", max_chars=128, key="password"
        )
        sent = st.form_submit_button(text("submit"), type="primary", width="stretch")
    if sent:
        _sign_in(username.strip(), password)


def _sign_in(username: str, password: str) -> None:
    if not username or not password:
        st.error(text("incomplete"), icon=":material/error:")
        return
    try:
        session.sign_in(username, password)
    except ServiceError as error:
        wrong = error.service == "auth" and error.status == 401
        st.error(text("wrong") if wrong else failures.sentence(error), icon=":material/error:")
    else:
        st.rerun()
