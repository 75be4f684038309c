"""The third step: the progress, the answers, corrections, and the files to take away."""

import streamlit as st

from ui import failures, session
from ui.i18n import Messages
from ui.listings.catalogue import Catalogue
from ui.listings.job import Job
from ui.views.catalogue import held, table, taking

text = Messages("catalogue")


def draw(catalogue: Catalogue, job: Job) -> None:
    """Draw how far the work is, and below it all that is answered so far."""
    if job.running:
        _draw_progress(job)
    elif job.done:
        st.success(text("done", count=job.total), icon=":material/check:")
    else:
        _draw_stopped(job)
    if len(job.answers):
        table.draw(catalogue)
        if not job.running:
            taking.draw(catalogue)
    held.draw_forget()


@st.fragment(run_every=1)
def _draw_progress(job: Job) -> None:
    """Draw the progress again every second, and the whole page when the work has ended."""
    if not job.running:
        st.rerun()
    answered = len(job.answers)
    st.progress(answered / job.total, text("progress", count=job.total, answered=answered))
    if job.waiting:
        st.caption(text("waiting", time=failures.duration(round(job.waiting) or 1)))
    with st.container(horizontal=True):
        if st.button(text("stop"), icon=":material/stop_circle:", key="catalogue_stop"):
            job.cancel()
        if st.button(text("show_so_far"), icon=":material/refresh:", key="catalogue_refresh"):
            st.rerun()


def _draw_stopped(job: Job) -> None:
    left = job.total - len(job.answers)
    if job.error is not None:
        st.error(failures.sentence(job.error), icon=":material/error:")
    st.warning(text("stopped", count=left), icon=":material/warning:")
    if st.button(text("go_on"), type="primary", key="catalogue_go_on"):
        job.start(session.prediction())
        st.rerun()
