"""A signed-in user, and the token with which the services are asked."""

from collections.abc import Generator
from contextlib import suppress
from threading import Lock
from time import monotonic

import httpx

from ui.services.auth import AuthService, Token, User
from ui.services.transport import ServiceError

_RENEWED_BEFORE = 600  # seconds before the token expires


class Login(httpx.Auth):
    """The token of a user, renewed before it expires. Safe for several threads.

    It stays in the memory of this process. `ended`: the token is not accepted any more: the user must sign in again.
    """

    def __init__(self, client: httpx.Client, token: Token) -> None:
        """`client`: reaches auth. Asks who the token belongs to. Raises `ServiceError`."""
        self._lock = Lock()
        self._auth = AuthService(client, _Bearer(self))
        self.ended = False
        self._take(token)
        self.user: User = self._auth.me()

    def renew_if_due(self) -> None:
        """Get a new token when the present one expires soon.

        Raises `ServiceError` when that fails and the present one does not count any more.
        """
        with self._lock:
            left = self._expires_at - monotonic()
            if self.ended or left > _RENEWED_BEFORE:
                return
            try:
                self._take(self._auth.renew())
            except ServiceError:
                if self.ended or left <= 0:
                    raise

    def sign_out(self) -> None:
        """End all sessions of the user. Raises `ServiceError`; the token is forgotten in any case."""
        try:
            self._auth.logout()
        finally:
            self.ended = True
            self.token = ""

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token with a request, a renewed one if it is due."""
        self.renew_if_due()
        yield from _Bearer(self).sync_auth_flow(request)

    def confirm(self) -> None:
        """Ask auth whether the token still counts; if not, this login is over."""
        with suppress(ServiceError):
            self._auth.me()

    def _take(self, token: Token) -> None:
        self.token = token["access_token"]
        self._expires_at = monotonic() + token["expires_in"]


class _Bearer(httpx.Auth):
    """Sends the token as it is; an answer 401 ends the login."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._login.token}"
        response = yield request
        if response.status_code == 401:
            self._login.ended = True


class Elsewhere(httpx.Auth):
    """Sends the token of a login to a service that knows no users itself: the answer 401 alone does not end the login.

    Such a service may ask another auth than the one of the login. Only that one decides.
    """

    def __init__(self, login: Login) -> None:
        self._login = login

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token with a request, a renewed one if it is due."""
        self._login.renew_if_due()
        request.headers["Authorization"] = f"Bearer {self._login.token}"
        response = yield request
        if response.status_code == 401:
            self._login.confirm()
