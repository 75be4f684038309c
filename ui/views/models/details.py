"""One version in detail: scores by type, model card, and where it comes from."""

import re

import streamlit as st

from ui import session
from ui.charts import Row, show_table
from ui.i18n import Messages, number
from ui.services.monitor import Registry, VersionDetails
from ui.views.models.words import alias_words, score

text = Messages("models")
_HEADING = re.compile(r"^(#{1,4}) ", re.MULTILINE)


def show(registry: Registry) -> None:
    """Let the admin choose a version, and draw what is known of it."""
    st.header(text("details"))
    aliases = {version["version"]: version["aliases"] for version in registry["versions"]}
    chosen = st.selectbox(
        text("version"), list(aliases), index=None, key="models_version", placeholder=text("version_placeholder"),
        format_func=lambda version: " · ".join(filter(None, (version, alias_words(aliases[version])))),
    )  # fmt: skip
    if chosen is None:
        return
    with st.spinner(text("reading")):
        details = session.monitor().model(chosen)
    types, card, lineage = st.tabs([text("by_type"), text("card"), text("lineage")])
    with types:
        _show_types(details)
    with card:
        _show_card(details)
    with lineage:
        _show_lineage(details)


def _show_types(details: VersionDetails) -> None:
    if not details["by_type"]:
        st.write(text("not_recorded"))
        return
    rows: list[Row] = [
        {
            text("type"): f"{entry['label']} ({entry['code']})",
            text("f1"): score(entry["f1"]),
            text("precision"): score(entry["precision"]),
            text("recall"): score(entry["recall"]),
            text("support"): number(entry["support"]),
        }
        for entry in sorted(details["by_type"], key=lambda entry: entry["f1"])
    ]
    st.caption(text("weakest_first"))
    show_table(rows, text("by_type"))


def _show_card(details: VersionDetails) -> None:
    if not details["card"]:
        st.write(text("not_recorded"))
        return
    st.markdown(_HEADING.sub(r"##\1 ", details["card"]))  # below the heading of this part of the page
    st.download_button(
        text("card_save"), details["card"], file_name=f"model-card-{details['version']}.md", mime="text/markdown",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _show_lineage(details: VersionDetails) -> None:
    commit = details["commit"]
    if commit and details["clean"] is False:
        commit = text("not_clean", commit=commit)
    facts = {
        text("data_hash"): details["data_hash"],
        text("commit"): commit,
        text("run"): details["run_id"],
        text("bento"): details["bento"],
        text("trained_on"): number(details["trained_on"]) if details["trained_on"] else None,
    }
    rows: list[Row] = [
        {text("what"): what, text("value"): value or text("not_recorded")} for what, value in facts.items()
    ]
    show_table(rows, text("lineage"))
    for sentence in details["lineage"].get("missing", []):
        st.caption(sentence)
