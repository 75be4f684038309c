"""What happened, in one list: reports, alerts and what came of them, retrainings, promotions and rollbacks."""

from collections.abc import Sequence

import streamlit as st

from ui.charts import Row, show_table
from ui.i18n import Messages, moment
from ui.services.monitor import TimelineEntry

text = Messages("monitoring")
_KINDS = ("alert", "retraining", "promotion", "rollback", "report")  # the charts show the reports already


def show_timeline(events: Sequence[TimelineEntry]) -> None:
    """Draw the events, newest first, of the kinds that are chosen."""
    if not events:
        st.write(text("nothing_happened"))
        return
    kinds = st.pills(
        text("kinds"),
        _KINDS,
        selection_mode="multi",
        default=_KINDS[:-1],
        format_func=lambda kind: text(f"kind_{kind}"),
        key="monitoring_kinds",
    )
    rows: list[Row] = [
        {
            text("time"): moment(event["at"]),
            text("event"): text(f"kind_{event['kind']}"),
            text("outcome"): outcome_word(event["outcome"]),
            text("what"): event["text"],
        }
        for event in events
        if event["kind"] in kinds
    ]
    if not rows:
        st.write(text("nothing_of_these"))
        return
    show_table(rows, text("timeline"))
    st.caption(text("in_english"))


def outcome_word(outcome: str) -> str:
    """Return the word for how something ended."""
    return text(f"word_{outcome}") if f"word_{outcome}" in text else outcome
