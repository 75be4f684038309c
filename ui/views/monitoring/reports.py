"""Reports of monitoring runs, to save and read. The page fetches them, so nobody needs another password."""

from collections.abc import Sequence

import streamlit as st

from ui import failures, session
from ui.i18n import Messages, moment
from ui.services.monitor import VerdictEntry
from ui.views.monitoring.timeline import outcome_word

text = Messages("monitoring")


def show(entries: Sequence[VerdictEntry]) -> None:
    """Offer the reports that are kept."""
    kept = {name: entry for entry in entries if (name := entry["name"])}
    if not kept:
        return
    st.header(text("reports"))
    chosen = st.selectbox(
        text("report"), list(kept), key="monitoring_report", index=None, placeholder=text("report_placeholder"),
        format_func=lambda name: f"{moment(kept[name]['at'])} · {outcome_word(kept[name]['verdict'])}",
    )  # fmt: skip
    if chosen:
        with failures.shown():
            content = session.monitor().report(chosen)
            st.download_button(
                text("report_save"), content, file_name=chosen, mime="text/html", icon=":material/download:",
                on_click="ignore",
            )  # fmt: skip
