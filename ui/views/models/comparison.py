"""Two versions beside each other, in all and type by type."""

import streamlit as st

from ui import session
from ui.charts import Row, show_chart
from ui.i18n import Messages, number
from ui.services.monitor import Comparison, Registry
from ui.services_words import show_words
from ui.views.models.charts import differences_chart
from ui.views.models.words import alias_words, change, score

text = Messages("models")
_PAIR = "models_pair"  # the two versions that are shown


def show(registry: Registry) -> None:
    """Let the admin choose two versions, and draw their comparison."""
    st.header(text("compare"))
    numbers = [version["version"] for version in registry["versions"]]
    if len(numbers) < 2:
        st.write(text("one_version"))
        return
    aliases = {version["version"]: version["aliases"] for version in registry["versions"]}

    def name(version: str) -> str:
        return " · ".join(filter(None, (version, alias_words(aliases[version]))))

    second = registry["production"] if registry["production"] in numbers else numbers[0]
    first = registry["previous"] if registry["previous"] in numbers else next(n for n in numbers if n != second)
    with st.form("models_compare", border=False):
        left, right = st.columns(2)
        one = left.selectbox(text("first"), numbers, index=numbers.index(first), format_func=name, key="models_first")
        two = right.selectbox(
            text("second"), numbers, index=numbers.index(second), format_func=name, key="models_second"
        )
        sent = st.form_submit_button(text("compare_submit"))
    if sent and one == two:
        st.session_state.pop(_PAIR, None)
        st.error(text("same_version"), icon=":material/error:")
    elif sent:
        st.session_state[_PAIR] = (one, two)
    if pair := st.session_state.get(_PAIR):
        with st.spinner(text("reading")):
            comparison = session.monitor().compare(*pair)
        _show(comparison)


def _show(comparison: Comparison) -> None:
    first, second, overall = comparison["first"], comparison["second"], comparison["overall"]
    st.subheader(text("compared", first=first, second=second))
    with st.container(horizontal=True):
        for name, pair in (
            (text("score_weighted_f1"), overall["weighted_f1"]),
            (text("score_macro_f1"), overall["macro_f1"]),
            (text("score_accuracy"), overall["accuracy"]),
        ):
            st.metric(name, score(pair["second"]), change(pair["difference"]), border=True, width="content")
    if overall["paired"]:
        show_words(overall["paired"]["reason"])
    elif overall["same_data"] is not True:
        st.caption(text("other_data"))
    rows: list[Row] = [
        {
            text("type"): f"{entry['label']} ({entry['code']})",
            text("version_heading", version=first): _f1(entry["first_f1"]),
            text("version_heading", version=second): _f1(entry["second_f1"]),
            text("difference"): change(entry["difference"]),
            text("support"): number(entry["support"]),
        }
        for entry in comparison["types"]
    ]
    if any(entry["difference"] is not None for entry in comparison["types"]):
        name = text("differences_chart", first=first, second=second)
        show_chart(differences_chart(comparison["types"]), name, rows)


def _f1(value: float | None) -> str:
    return "–" if value is None else score(value)
