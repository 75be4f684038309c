"""The session of one browser tab: who is signed in, and the services, asked as that user.

Everything of it is in the memory of this process. A token is in no address, cookie, log or page.
"""

from typing import Protocol, runtime_checkable

import httpx
import streamlit as st

from ui.login import Elsewhere, Login
from ui.services import transport
from ui.services.auth import AuthService, User
from ui.services.monitor import MonitorService
from ui.services.prediction import PredictionService
from ui.services.review import ReviewService
from ui.services.transport import ServiceError, ServiceName
from ui.services.users import UsersService

_LOGIN = "login"
_KEPT = ("language",)  # after signing out


@runtime_checkable
class Cancellable(Protocol):
    """Work in the background, which ends with the session of its user."""

    def cancel(self) -> None:
        """Stop the work."""


def login() -> Login | None:
    """Return the login of this session; its `ended` says whether it is over. None: nobody has signed in."""
    found: Login | None = st.session_state.get(_LOGIN)
    return found


def user() -> User:
    """Return who is signed in. Pages are only shown when somebody is."""
    return _required().user


def auth() -> AuthService:
    """Return auth, asked as the user."""
    return AuthService(_client("auth"), _required())


def prediction() -> PredictionService:
    """Return the prediction service, asked as the user."""
    return PredictionService(_client("prediction"), _required())


def reviews() -> ReviewService:
    """Return the review of the prediction service, asked as the user."""
    return ReviewService(_client("prediction"), _required())


def users() -> UsersService:
    """Return the accounts, asked as the user."""
    return UsersService(_client("auth"), _required())


def monitor() -> MonitorService:
    """Return the monitor service, asked as the user."""
    return MonitorService(_client("monitor"), Elsewhere(_required()))


def sign_in(username: str, password: str) -> None:
    """Sign in. What another user has left in this session is removed. Raises `ServiceError`."""
    client = _client("auth")
    new = Login(client, AuthService(client).login(username, password))
    before = login()
    if before is not None and before.user["id"] != new.user["id"]:
        _clear()
    st.session_state[_LOGIN] = new


def sign_out() -> ServiceError | None:
    """Sign out and remove everything of the session. Return what went wrong at the service, if anything."""
    found = login()
    try:
        if found is not None and not found.ended:
            found.sign_out()
    except ServiceError as error:
        return error
    finally:
        _clear()
    return None


def _clear() -> None:
    for key, value in list(st.session_state.items()):
        if isinstance(value, Cancellable):
            value.cancel()
        if key not in _KEPT:
            del st.session_state[key]


def _required() -> Login:
    found = login()
    assert found is not None, "a page was shown to somebody who has not signed in"
    return found


def _client(service: ServiceName) -> httpx.Client:
    return transport.connect(transport.address(service))
