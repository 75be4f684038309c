"""Right or wrong: what a person says on an answer, which becomes feedback."""

import streamlit as st

from ui import session
from ui.i18n import Messages, literal
from ui.model import Model
from ui.services.prediction import Feedback, Prediction

text = Messages("verdict")
_GIVEN = "verdict_given"  # what was said: prediction id -> Feedback
_WRONG = "verdict_wrong"  # the id of the prediction whose right type is being looked for


def ask(answer: Prediction, served: Model) -> None:
    """Draw the question whether an answer is right, or what was said on it."""
    prediction_id = answer["prediction_id"]
    given: Feedback | None = st.session_state.setdefault(_GIVEN, {}).get(prediction_id)
    if given:
        _show(given)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(text("question"), width="content")
        right = st.button(text("right"), key="verdict_right", icon=":material/check:", shortcut="alt+y")
        wrong = st.button(text("wrong"), key="verdict_wrong_button", icon=":material/close:", shortcut="alt+n")
    if right:
        _give(prediction_id, answer["predicted_code"])
    if wrong:
        st.session_state[_WRONG] = prediction_id
    if st.session_state.get(_WRONG) == prediction_id:
        _choose(answer, served)


def _choose(answer: Prediction, served: Model) -> None:
    """Let the person choose the right type: the likeliest others come first, then all by name."""
    likely = [ranked["code"] for ranked in answer["top_k"] if ranked["code"] in served.labels]
    ordered = [*likely, *(code for code in served.labels if code not in likely)]
    codes = [code for code in ordered if code != answer["predicted_code"]]  # which another model may not have
    with st.form("verdict_form", border=False):
        chosen = st.selectbox(
            text("right_type"), codes, index=None, format_func=lambda code: served.labels[code],
            placeholder=text("placeholder"), key=f"verdict_type_{answer['prediction_id']}",
        )  # fmt: skip
        saved = st.form_submit_button(text("save"), type="primary")
    if saved and chosen is None:
        st.error(text("choose"), icon=":material/error:")
    elif saved and chosen is not None:
        _give(answer["prediction_id"], chosen)


def _give(prediction_id: str, code: int) -> None:
    given = session.prediction().give_feedback(prediction_id, code)
    st.session_state[_GIVEN][prediction_id] = given
    st.session_state.pop(_WRONG, None)
    st.rerun()


def _show(given: Feedback) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(text("thanks", label=literal(given["correct_label"])), icon=":material/check:")
        if st.button(text("take_back"), key="verdict_take_back", icon=":material/undo:"):
            session.prediction().take_back_feedback(given["feedback_id"])
            del st.session_state[_GIVEN][given["prediction_id"]]
            st.rerun()
