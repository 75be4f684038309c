"""The web page. `python run.py ui` starts Streamlit with this script, which runs at every action of a user."""

from pathlib import Path

import streamlit as st

from ui import failures, i18n, navigation, session, sign_in
from ui.i18n import Messages
from ui.login import Login
from ui.services.transport import ServiceError

text = Messages("navigation")
_STYLE, _ICON = (Path(__file__).parent / name for name in ("style.css", "icon.svg"))


def main() -> None:
    """Draw the page that the address names, or the sign-in form."""
    # The icon is named before the navigation: Streamlit would fetch that of the page from another host.
    st.set_page_config(page_title=text("product"), page_icon=_ICON)
    st.html(_STYLE)
    _set_language_of_document()
    login = session.login()
    if login is None or login.ended:
        st.navigation(navigation.pages(None), position="hidden")
        st.set_page_config(layout="centered")
        _sidebar(None)
        _show_notice()
        sign_in.form()
        return
    page = st.navigation(navigation.pages(login.user["role"]))
    title = f"{page.title} · {text('product')}"
    st.set_page_config(page_title=title, layout=navigation.layout(page))
    _sidebar(login)
    _stay_signed_in(login)
    with failures.shown():
        page.run()


def _sidebar(login: Login | None) -> None:
    with st.sidebar:
        if login is not None:
            name, role = login.user["username"], login.user["role"]
            st.markdown(text("signed_in", name=i18n.literal(name), role=text(f"role_{role}")))
            if st.button(text("sign_out"), help=text("sign_out_help"), icon=":material/logout:", width="stretch"):
                if session.sign_out() is not None:
                    st.session_state["notice"] = text("signed_out_here")
                st.rerun()
        codes = list(i18n.LANGUAGES)
        st.selectbox(
            text("language"), codes, index=codes.index(i18n.language()), format_func=i18n.LANGUAGES.__getitem__,
            key=i18n.STATE, persist_state="session",
        )  # fmt: skip


@st.fragment(run_every=60)
def _stay_signed_in(login: Login) -> None:
    """Renew the token while the tab is open, also when its user only reads."""
    try:
        login.renew_if_due()
    except ServiceError:
        if login.ended:
            st.rerun()


def _show_notice() -> None:
    if notice := st.session_state.pop("notice", None):
        st.info(notice)


def _set_language_of_document() -> None:
    """Tell screen readers the language; Streamlit itself always says English."""
    st.html(f"<script>document.documentElement.lang = '{i18n.language()}'</script>", unsafe_allow_javascript=True)


main()
