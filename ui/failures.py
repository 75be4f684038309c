"""What people read when a service refuses, fails or is away: what happened, and the next step."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ui import refusals, session
from ui.i18n import Messages
from ui.services.transport import AWAY, ServiceError

text = Messages("failures")
_KNOWN = (409, 413, 422, 429)  # statuses with a sentence of their own, besides those below


def sentence(error: ServiceError) -> str:
    """Return the sentences about an error, in the language of the session."""
    if error.status == AWAY or error.status in (502, 504):
        return text(f"away_{error.service}")
    if known := refusals.known(error):
        return known
    if error.service == "monitor" and error.status == 401:
        return text("other_users")
    if error.status == 429 or (error.status == 503 and error.retry_after):
        return text("wait" if error.status == 429 else "busy", time=duration(error.retry_after or 60))
    if error.status in (401, 403, 404):
        return text(f"status_{error.status}")
    if error.status in _KNOWN:
        return text("refused", reason=refusals.said(error))
    return text("failed", status=str(error.status))


def duration(seconds: int) -> str:
    """Return a time in words: seconds up to a minute and a half, then minutes."""
    if seconds <= 90:
        return text("seconds", count=seconds)
    return text("minutes", count=-(-seconds // 60))


def show(error: ServiceError) -> None:
    """Show an error in the page; an ended session brings the sign-in form instead."""
    login = session.login()
    if error.status == 401 and login is not None and login.ended:
        st.rerun()
    st.error(sentence(error), icon=":material/error:")


@contextmanager
def shown() -> Iterator[None]:
    """Show what goes wrong inside, and go on after it."""
    try:
        yield
    except ServiceError as error:
        show(error)
