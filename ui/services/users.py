"""The accounts, as admins manage them."""

from typing import TypedDict
from urllib.parse import quote

from ui.services.auth import Role, User
from ui.services.transport import Service


class Account(User):
    """A user, and since when there is one of that id."""

    created_at: str


class UserSession(TypedDict):
    """A login whose token may still be valid."""

    logged_in_at: str
    address: str
    until: str


class UsersService(Service):
    """The accounts, in auth. Every method raises `ServiceError`."""

    name = "auth"

    def all(self) -> list[Account]:
        """Return the users, by name."""
        accounts: list[Account] = self.ask("GET", "/users")
        return accounts

    def create(self, username: str, password: str, role: Role) -> User:
        """Create a user."""
        user: User = self.ask("POST", "/users", body={"username": username, "password": password, "role": role})
        return user

    def change_role(self, user_id: str, role: Role) -> None:
        """Give a user another role; the tokens issued so far stop working."""
        self.ask("PATCH", _path(user_id), body={"role": role})

    def reset_password(self, user_id: str, password: str) -> None:
        """Give a user another password; the tokens issued so far stop working."""
        self.ask("PATCH", _path(user_id), body={"password": password})

    def delete(self, user_id: str) -> None:
        """Delete a user with all predictions of that user."""
        self.ask("DELETE", _path(user_id))

    def sessions(self, user_id: str) -> list[UserSession]:
        """Return the logins whose tokens may still be valid, newest first."""
        sessions: list[UserSession] = self.ask("GET", f"{_path(user_id)}/sessions")
        return sessions

    def end_sessions(self, user_id: str) -> None:
        """Void all tokens of a user."""
        self.ask("POST", f"{_path(user_id)}/logout")


def _path(user_id: str) -> str:
    return f"/users/{quote(user_id, safe='')}"
