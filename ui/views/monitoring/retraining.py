"""The retraining under way, what is left of the budget, and the button that starts one."""

import streamlit as st

from ui import confirmation, failures, session
from ui.i18n import Messages, moment
from ui.services.monitor import Retraining
from ui.views.monitoring.timeline import outcome_word

text = Messages("monitoring")
_STARTED = "monitoring_started"
_QUESTION = "retrain"


def show() -> None:
    """Draw what is under way, and for admins the button."""
    st.header(text("retraining"))
    _show_under_way()
    if st.session_state.pop(_STARTED, False):
        st.success(text("retrain_started"), icon=":material/check_circle:")
    if session.user()["role"] == "admin":
        st.button(text("retrain"), icon=":material/model_training:", on_click=confirmation.ask, args=(_QUESTION,))
        confirmation.show(_QUESTION, text("retrain_title"), _confirm)


@st.fragment(run_every=15)
def _show_under_way() -> None:
    """Say what is under way now; it is asked again while the page is open."""
    with failures.shown():
        now = session.monitor().retraining()
        if now["running"]:
            st.info(text("under_way", time=moment(now["running"]["started"])), icon=":material/model_training:")
        else:
            st.markdown(text("none_under_way"))
        if now["last"]:
            time, outcome = moment(now["last"]["started"]), outcome_word(now["last"]["outcome"])
            st.markdown(text("last_retraining", time=time, outcome=outcome))
        st.markdown(budget(now))


def budget(now: Retraining) -> str:
    """Say how many retrainings are left today, and whether the next one has to wait."""
    sentence = text("left_today", count=now["left_today"], all=now["daily_budget"])
    if now["cool_down_until"]:
        sentence += " " + text("cooling_down", time=moment(now["cool_down_until"]))
    return sentence


def _confirm() -> None:
    with failures.shown():
        now = session.monitor().retraining()
        st.write(text("retrain_effect"))
        st.write(budget(now))
        reason = st.text_input(text("reason"), max_chars=200, key="monitoring_reason", help=text("reason_help"))
        possible = now["left_today"] > 0 and not now["running"] and not now["cool_down_until"]
        if not possible:
            st.info(text("retrain_not_now"), icon=":material/schedule:")
        if st.button(text("retrain_confirm"), type="primary", disabled=not (possible and reason.strip())):
            session.monitor().retrain(reason.strip())
            st.session_state[_STARTED] = True
            confirmation.close()
            st.rerun()
