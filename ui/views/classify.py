"""The page on which one listing is classified."""

from dataclasses import dataclass

import streamlit as st

from ui import marked_text, model, session
from ui.i18n import Messages, literal, percent
from ui.services.prediction import DESCRIPTION_CHARACTERS, TITLE_CHARACTERS, Explanation, Listing, Prediction
from ui.types_table import types_html
from ui.views import verdict

text = Messages("classify")
_ANSWER = "classify_answer"


@dataclass(frozen=True)
class Answered:
    """A listing that was sent, and the answer to it."""

    listing: Listing
    prediction: Prediction


def page() -> None:
    """Draw the form, and the answer to what was sent last."""
    st.title(text("title"))
    st.write(text("intro"))
    with st.form("classify", border=False):
        designation = st.text_input(
            text("designation"), max_chars=TITLE_CHARACTERS, key="classify_designation", persist_state="session"
        )
        description = st.text_area(
            text("description"), max_chars=DESCRIPTION_CHARACTERS, key="classify_description", persist_state="session"
        )
        sent = st.form_submit_button(text("submit"), type="primary", shortcut="mod+enter")
    if sent:
        st.session_state.pop(_ANSWER, None)
        _send(designation, description)
    answered: Answered | None = st.session_state.get(_ANSWER)
    if answered:
        _show(answered)


def _send(designation: str, description: str) -> None:
    if not designation.strip():
        st.error(text("blank"), icon=":material/error:")
        return
    listing: Listing = {"designation": designation, "description": description or None}
    with st.spinner(text("waiting")):
        st.session_state[_ANSWER] = Answered(listing, session.prediction().predict(listing))


def _show(answered: Answered) -> None:
    answer = answered.prediction
    st.header(literal(answer["predicted_class"]), anchor=False)
    st.markdown(
        text("facts", share=percent(answer["confidence"]), language=text(f"language_{answer['language']}"),
             code=str(answer["predicted_code"]), version=literal(answer["model_version"]))
    )  # fmt: skip
    served = model.served(answer["model_version"])
    if answer.get("novelty"):
        st.warning(text("novel"), icon=":material/new_releases:")
    if answer["abstained"]:
        st.warning(abstention(answer["confidence"], served.threshold), icon=":material/help:")
    st.html(types_html(answer["top_k"], text("likeliest")))
    verdict.ask(answer, served)
    _explain(answered.listing, answer.get("explanation"))


def abstention(confidence: float, threshold: float | None) -> str:
    """Return why the model abstained. From the threshold on it does so because the listing is novel."""
    if threshold is None:
        return text("abstained_always")
    if confidence >= threshold:
        return text("abstained_novel")
    return text("abstained", threshold=percent(threshold))


def _explain(listing: Listing, explanation: Explanation | None) -> None:
    st.header(text("why"), anchor=False)
    if explanation is None:
        st.write(text("too_long"))
    names = {"for": text("word_for"), "against": text("word_against")}
    st.html(marked_text.listing_html(listing, explanation, names))
    if explanation is None:
        return
    if not marked_text.located(explanation):
        st.caption(text("not_located"))
    for reasons, key in ((explanation["supporting"], "for"), (explanation["opposing"], "against")):
        words = " · ".join(f"{literal(reason['term'])} {reason['contribution']:+.2f}" for reason in reasons)
        line = text("words_for" if key == "for" else "words_against", words=words or text("none"))
        st.caption(line)
