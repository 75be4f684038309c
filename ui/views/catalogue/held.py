"""The catalogue that a session has."""

import streamlit as st

from ui.i18n import Messages
from ui.listings.catalogue import Catalogue
from ui.listings.job import Job
from ui.listings.reading import Table

text = Messages("catalogue")
_STATE = "catalogue"
JOB = "catalogue_job"  # has a place of its own, so that signing out cancels it


def catalogue() -> Catalogue | None:
    """Return the catalogue of this session, or None."""
    found: Catalogue | None = st.session_state.get(_STATE)
    return found


def keep(table: Table) -> None:
    """Begin with a table."""
    st.session_state[_STATE] = Catalogue.of(table)


def keep_job(owner: Catalogue, job: Job) -> None:
    """Begin to classify a catalogue."""
    owner.job = job
    st.session_state[JOB] = job


def forget() -> None:
    """Stop the work and forget the catalogue, with all that was chosen for it."""
    job: Job | None = st.session_state.get(JOB)
    if job is not None:
        job.cancel()
    for key in [key for key in st.session_state if str(key).startswith(_STATE)]:
        del st.session_state[key]


def draw_forget() -> None:
    """Draw the button for another catalogue. What is not stored yet is named before it is lost."""
    found = catalogue()
    lost = len(found.pending) if found else 0
    with st.popover(text("another"), icon=":material/restart_alt:"):
        st.write(text("another_lost", count=lost) if lost else text("another_safe"))
        if st.button(text("another_confirm"), key="catalogue_forget"):
            forget()
            st.rerun()
