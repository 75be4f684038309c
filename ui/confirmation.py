"""A question before something that cannot easily be undone. It stays open until it is answered or dismissed."""

from collections.abc import Callable

import streamlit as st

_OPEN = "confirmation_open"  # the name of the question that is open


def ask(name: str) -> None:
    """Open a question: the callback of a button."""
    st.session_state[_OPEN] = name


def close() -> None:
    """Close the open question."""
    st.session_state.pop(_OPEN, None)


def show(name: str, title: str, draw: Callable[[], None]) -> None:
    """Draw a question if it is open. `draw` draws what is in it, and calls `close` when it is answered."""
    if st.session_state.get(_OPEN) == name:
        st.dialog(title, on_dismiss=close)(draw)()
