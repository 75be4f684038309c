"""The page on which admins manage the accounts."""

import streamlit as st

from ui import failures, session
from ui.charts import Row, show_table
from ui.i18n import Messages, literal, moment
from ui.services.users import Account
from ui.views.users import changes
from ui.views.users.changes import ROLES, done, role_name, show_done

text = Messages("users")
_CREATED = "users_created"  # how many this session has created; each form has fields of its own, so that it is empty


def page() -> None:
    """List the accounts, and offer a new one and changes of each."""
    st.title(text("title"))
    show_done()
    accounts = session.users().all()
    _show_list(accounts)
    _show_changes(accounts)
    _show_creation()


def _show_list(accounts: list[Account]) -> None:
    st.header(text("accounts"))
    rows: list[Row] = [
        {
            text("name"): account["username"],
            text("role"): role_name(account["role"]),
            text("created"): moment(account["created_at"]),
        }
        for account in accounts
    ]
    show_table(rows, text("accounts"))


def _show_changes(accounts: list[Account]) -> None:
    st.header(text("change"))
    by_id = {account["id"]: account for account in accounts}
    chosen = st.selectbox(
        text("account"), list(by_id), format_func=lambda user_id: by_id[user_id]["username"], key="users_chosen",
        index=None, placeholder=text("account_placeholder"),
    )  # fmt: skip
    account = by_id.get(chosen or "")
    if account is None:
        return
    if account["id"] == session.user()["id"]:
        st.info(text("own"), icon=":material/person:")
    shown = {
        text("role"): changes.show_role,
        text("password"): changes.show_password,
        text("sessions"): changes.show_sessions,
        text("deletion"): changes.show_deletion,
    }
    for tab, show in zip(st.tabs(list(shown)), shown.values(), strict=True):
        with tab, failures.shown():
            show(account)


def _show_creation() -> None:
    st.header(text("create"))
    number = st.session_state.setdefault(_CREATED, 0)
    with st.form("users_create"):
        name = st.text_input(text("name"), max_chars=64, key=f"users_new_name_{number}", autocomplete="off")
        password = st.text_input(
            text("new_password"), type="password", max_chars=128, key=f"users_new_password_{number}",
            autocomplete="new-password", help=text("password_help"),
        )  # fmt: skip
        role = st.selectbox(text("role"), ROLES, format_func=role_name, key=f"users_new_role_{number}")
        sent = st.form_submit_button(text("create_submit"), type="primary")
    if sent:
        with failures.shown():
            created = session.users().create(name.strip(), password, role)
            st.session_state[_CREATED] = number + 1
            done(text("created_done", name=literal(created["username"])))
