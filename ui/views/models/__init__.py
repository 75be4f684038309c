"""The page with the versions of the model: their scores, what decided about them, and the way back."""

import streamlit as st

from ui import failures, session
from ui.charts import Row, show_chart, show_table
from ui.i18n import Messages, moment, number
from ui.services.monitor import Registry, Version
from ui.services_words import show_words
from ui.views.models import comparison, details, rollback
from ui.views.models.charts import scores_chart
from ui.views.models.words import alias_words, decision_word, interval, score

text = Messages("models")
SCORES = ("weighted_f1", "macro_f1")
_DECISIONS = 10  # of the newest versions


def page() -> None:
    """Draw all versions, one in detail, two beside each other, and the rollback."""
    st.title(text("title"))
    with st.spinner(text("reading")):
        registry = session.monitor().models()
    if not registry["versions"]:
        st.info(text("no_version"), icon=":material/hourglass_empty:")
        return
    rollback.show_done()
    _show_production(registry)
    _show_versions(registry["versions"])
    with failures.shown():
        details.show(registry)
    with failures.shown():
        comparison.show(registry)
    _show_log(registry)
    rollback.show(registry)


def _show_production(registry: Registry) -> None:
    version = next((each for each in registry["versions"] if each["version"] == registry["production"]), None)
    if version is None:
        st.warning(text("none_in_production"), icon=":material/warning:")
        return
    st.markdown(text("in_production", model=registry["model"], version=version["version"]))
    with st.container(horizontal=True):
        for name in SCORES:
            if found := version["scores"].get(name):
                st.metric(
                    text(f"score_{name}"), score(found["value"]), border=True, width="content",
                    help=text("interval_help", interval=interval(found)),
                )  # fmt: skip
        if version["trained_on"]:
            st.metric(text("trained_on"), number(version["trained_on"]), border=True, width="content")


def _show_versions(versions: list[Version]) -> None:
    st.header(text("versions"))
    if any(version["scores"].get("weighted_f1") for version in versions):
        show_chart(scores_chart(versions, "weighted_f1"), text("scores_chart"), _score_rows(versions))
    for version in versions[:_DECISIONS]:
        _show_decision(version)


def _score_rows(versions: list[Version]) -> list[Row]:
    rows: list[Row] = []
    for version in versions:
        row = {text("version"): version["version"], text("place"): alias_words(version["aliases"])}
        for name in SCORES:
            found = version["scores"].get(name)
            row[text(f"score_{name}")] = f"{score(found['value'])} ({interval(found)})" if found else "–"
        rows.append(row)
    return rows


def _show_decision(version: Version) -> None:
    created, decision = version["created_at"], version["decision"]
    place = alias_words(version["aliases"])
    heading = text("version_heading", version=version["version"]) + (f" · {place}" if place else "")
    with st.container(border=True):
        st.markdown(f"**{heading}** · {decision_word(decision)}")
        if created:
            st.caption(text("created", time=moment(created)))
        if decision:
            show_words(decision["reason"])


def _show_log(registry: Registry) -> None:
    st.header(text("log"))
    rows: list[Row] = [
        {
            text("time"): moment(entry["at"]),
            text("action"): text(f"action_{entry['action']}"),
            text("now"): entry["version"],
            text("left"): entry["left"] or "–",
            text("by"): entry["by"] or "–",
            text("reason"): entry["reason"],
        }
        for entry in registry["log"]
    ]
    if rows:
        show_table(rows, text("log"))
    else:
        st.write(text("no_log"))
