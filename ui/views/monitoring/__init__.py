"""The page that says how the model does in use, what came of alerts, and retrains."""

import streamlit as st

from ui import session
from ui.i18n import Messages, moment, percent
from ui.services.monitor import VerdictEntry
from ui.services_words import show_words
from ui.views.monitoring import charts, reports, retraining
from ui.views.monitoring.timeline import show_timeline

text = Messages("monitoring")
_SHOW = {"ok": st.success, "warning": st.warning, "drift": st.error, "insufficient_data": st.info}
_ICONS = {"ok": "check_circle", "warning": "warning", "drift": "trending_down", "insufficient_data": "hourglass_empty"}


def page() -> None:
    """Draw the verdict now, how it came to it, and what is under way."""
    st.title(text("title"))
    monitor = session.monitor()
    entries = monitor.verdicts()
    _show_now(entries)
    retraining.show()
    if entries:
        _show_history(entries)
        _show_drift(entries)
        _show_quality(entries)
    st.header(text("timeline"))
    show_timeline(monitor.timeline())
    reports.show(entries)


def _show_now(entries: list[VerdictEntry]) -> None:
    st.header(text("now"))
    if not entries:
        st.info(text("no_report"), icon=":material/hourglass_empty:")
        return
    latest = entries[0]
    verdict = latest["verdict"]
    _SHOW[verdict](text(f"verdict_{verdict}"), icon=f":material/{_ICONS[verdict]}:")
    st.markdown(
        text(
            "circumstances",
            time=moment(latest["at"]),
            version=latest["model_version"],
            listings=text("listings_count", count=latest["rows"]),
        )
    )
    for sentence in _findings(latest):
        st.markdown(f"- {sentence}")
    with st.expander(text("reasons")):
        for reason in latest["reasons"]:
            show_words(reason)


def _findings(entry: VerdictEntry) -> list[str]:
    """Return what was measured, in sentences."""
    columns, quality = entry["columns"], entry["quality"]
    drifted = [charts.column_name(name) for name, drift in columns.items() if drift["drifted"]]
    if not columns:
        sentences = [text("drift_not_measured")]
    elif drifted:
        sentences = [text("columns_drifted", count=len(drifted), all=len(columns), names=", ".join(drifted))]
    else:
        sentences = [text("no_column_drifted", all=len(columns))]
    if quality is None:
        sentences.append(text("quality_not_measured"))
    else:
        bounds = charts.interval(quality["low"], quality["high"])
        share = percent(quality["accuracy"], 1)
        sentences.append(text("quality_measured", count=quality["rows"], share=share, interval=bounds))
    return sentences


def _show_history(entries: list[VerdictEntry]) -> None:
    st.header(text("history"))
    charts.show_verdicts(entries)
    if any(entry.get("drifted_share") is not None for entry in entries):
        charts.show_drifted_share(entries)


def _show_drift(entries: list[VerdictEntry]) -> None:
    st.header(text("drift"))
    st.markdown(text("drift_explained"))
    measured = next((entry for entry in entries if entry["columns"]), None)
    if measured is None:
        st.markdown(text("drift_not_measured"))
        return
    if measured is not entries[0]:
        st.caption(text("measured_at", time=moment(measured["at"])))
    charts.show_columns(measured["columns"])


def _show_quality(entries: list[VerdictEntry]) -> None:
    st.header(text("quality"))
    st.markdown(text("quality_explained"))
    if any(entry["quality"] for entry in entries):
        charts.show_quality(entries)
    else:
        st.markdown(text("quality_not_measured"))
