"""What an admin changes of one account: role, password, sessions, and its deletion."""

import streamlit as st

from ui import confirmation, failures, session
from ui.charts import Row, show_table
from ui.i18n import Messages, literal, moment
from ui.services.auth import Role
from ui.services.users import Account

text = Messages("users")
ROLES: tuple[Role, ...] = ("user", "reviewer", "admin", "simulator")
_DONE = "users_done"  # the sentence about what was done last


def role_name(role: Role) -> str:
    """Return the name of a role, with what it may do."""
    return text(f"role_{role}")


def done(sentence: str) -> None:
    """Note the sentence about what was done, and draw the page again with what is true now."""
    st.session_state[_DONE] = sentence
    st.rerun()


def show_done() -> None:
    """Show what was done last, once."""
    if sentence := st.session_state.pop(_DONE, None):
        st.success(sentence, icon=":material/check_circle:")


def show_role(account: Account) -> None:
    """Draw the choice of another role."""
    with st.form("users_role", border=False):
        role = st.selectbox(
            text("new_role"), ROLES, index=ROLES.index(account["role"]), format_func=role_name,
            key=f"users_role_{account['id']}",
        )  # fmt: skip
        st.caption(text("sessions_end"))
        sent = st.form_submit_button(text("submit_role"))
    if sent and role != account["role"]:
        session.users().change_role(account["id"], role)
        done(text("changed_role", name=literal(account["username"]), role=role_name(role)))


def show_password(account: Account) -> None:
    """Draw the field of a new password."""
    with st.form("users_password", border=False, clear_on_submit=True):
        password = st.text_input(
            text("new_password"), type="password", max_chars=128, key=f"users_password_{account['id']}",
            autocomplete="new-password", help=text("password_help"),
        )  # fmt: skip
        st.caption(text("sessions_end"))
        sent = st.form_submit_button(text("password_submit"))
    if sent:
        session.users().reset_password(account["id"], password)
        done(text("password_changed", name=literal(account["username"])))


def show_sessions(account: Account) -> None:
    """List the sessions, and offer to end them all."""
    sessions = session.users().sessions(account["id"])
    if not sessions:
        st.write(text("no_sessions"))
        return
    rows: list[Row] = [
        {
            text("logged_in"): moment(entry["logged_in_at"]),
            text("address"): entry["address"],
            text("until"): moment(entry["until"]),
        }
        for entry in sessions
    ]
    show_table(rows, text("sessions"))
    if st.button(text("end_sessions"), icon=":material/logout:"):
        session.users().end_sessions(account["id"])
        done(text("sessions_ended", name=literal(account["username"])))


def show_deletion(account: Account) -> None:
    """Say what a deletion does, and offer it."""
    name = account["username"]
    st.write(text("deletion_effect", name=literal(name)))
    question = f"delete {account['id']}"
    st.button(text("delete"), icon=":material/delete:", on_click=confirmation.ask, args=(question,))

    def confirm() -> None:
        st.write(text("deletion_effect", name=literal(name)))
        typed = st.text_input(text("delete_type_name"), key="users_delete_name", autocomplete="off")
        if st.button(text("delete_confirm"), type="primary", disabled=typed.strip() != name):
            with failures.shown():
                session.users().delete(account["id"])
                confirmation.close()
                done(text("deleted", name=literal(name)))

    confirmation.show(question, text("delete_title", name=literal(name)), confirm)
