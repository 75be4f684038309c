"""The auth service: log in, renew, log out."""

from typing import Literal, TypedDict

from ui.services.transport import Service

Role = Literal["user", "simulator", "reviewer", "admin"]


class Token(TypedDict):
    """A token and for how many seconds it is valid."""

    access_token: str
    expires_in: int


class User(TypedDict):
    """A user; the id is for ever this user's."""

    id: str
    username: str
    role: Role


class AuthService(Service):
    """Auth, mounted in the prediction service or apart."""

    name = "auth"

    def login(self, username: str, password: str) -> Token:
        """Exchange name and password for a token."""
        token: Token = self.ask("POST", "/login", form={"username": username, "password": password})
        return token

    def renew(self) -> Token:
        """Return a new token for the one that is sent."""
        token: Token = self.ask("POST", "/renew")
        return token

    def logout(self) -> None:
        """End all sessions of the caller."""
        self.ask("POST", "/logout")

    def me(self) -> User:
        """Return the user of the token."""
        user: User = self.ask("GET", "/me")
        return user
