"""Users: who may log in, with which role, and since when their tokens count."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from ledger.callers import ROLES
from ledger.database import upsert
from ledger.tables import UserRow

_active = UserRow.deleted_at.is_(None)
_COLUMNS = (UserRow.username, UserRow.role, UserRow.password_hash, UserRow.valid_from, UserRow.created_at)
SELECT_ACTIVE_USERS = select(UserRow.username, UserRow.role, UserRow.valid_from).where(
    UserRow.username.in_(bindparam("usernames", expanding=True)), _active
)  # built once: building it takes four times as long as executing it


@dataclass(frozen=True)
class User:
    """A user who is not deleted. Tokens issued before `valid_from` are void."""

    username: str
    role: str
    password_hash: str
    valid_from: datetime
    created_at: datetime


class UserExistsError(ValueError):
    """A user of that name exists already."""


class UnknownUserError(LookupError):
    """There is no user of that name."""


class LastAdminError(ValueError):
    """No admin would be left."""


def find_user(connection: Connection, username: str) -> User | None:
    """Return the user of that name, unless deleted."""
    row = connection.execute(select(*_COLUMNS).where(UserRow.username == username, _active)).first()
    return User(*row) if row else None


def list_users(connection: Connection) -> list[User]:
    """Return all users who are not deleted, by name."""
    rows = connection.execute(select(*_COLUMNS).where(_active).order_by(UserRow.username))
    return [User(*row) for row in rows]


def has_admin(connection: Connection) -> bool:
    """Return whether there is an admin."""
    return connection.execute(select(1).where(UserRow.role == "admin", _active).limit(1)).first() is not None


def create_user(connection: Connection, username: str, password_hash: str, role: str, now: datetime) -> User:
    """Create a user. The name of a deleted user may be used again. Raises `UserExistsError`."""
    if not _write(connection, username, password_hash, role, now, replace=UserRow.deleted_at.is_not(None)):
        raise UserExistsError(f"there is a user {username}")
    return User(username, role, password_hash, now, now)


def ensure_admin(connection: Connection, username: str, password_hash: str, now: datetime) -> bool:
    """Create an admin if there is none, and return whether one was created. Several processes may do so at once.

    A user of that name who is no admin becomes one, with this password.
    """
    no_admin = UserRow.deleted_at.is_not(None) | (UserRow.role != "admin")
    return not has_admin(connection) and _write(connection, username, password_hash, "admin", now, replace=no_admin)


def change_user(
    connection: Connection, username: str, *, now: datetime, password_hash: str | None = None, role: str | None = None
) -> User:
    """Change a user's password, role, both or neither; in any case the tokens issued so far become void.

    Raises `UnknownUserError`, and `LastAdminError` when no admin would be left.
    """
    if role not in (None, "admin"):
        _refuse_last_admin(connection, username)
    values: dict[str, Any] = {"password_hash": password_hash, "role": _checked(role) if role else None}
    changes = {name: value for name, value in values.items() if value is not None}
    changed = update(UserRow).where(UserRow.username == username, _active).values(valid_from=now, **changes)
    connection.execute(changed)
    user = find_user(connection, username)
    if user is None:
        raise UnknownUserError(f"there is no user {username}")
    return user


def delete_user(connection: Connection, username: str, now: datetime) -> None:
    """Delete a user; the tokens issued so far become void. The row stays, so that `revocations` can return the name.

    Raises `UnknownUserError`, and `LastAdminError` when no admin would be left.
    """
    _refuse_last_admin(connection, username)
    deleted = update(UserRow).where(UserRow.username == username, _active).values(deleted_at=now, password_hash="")
    if not connection.execute(deleted).rowcount:
        raise UnknownUserError(f"there is no user {username}")


def active_users(connection: Connection, usernames: Collection[str]) -> dict[str, tuple[str, datetime]]:
    """Return username -> (role, `valid_from`) of those of these users who are not deleted."""
    rows = connection.execute(SELECT_ACTIVE_USERS, {"usernames": list(usernames)})
    return {username: (role, valid_from) for username, role, valid_from in rows}


def revocations(connection: Connection, since: datetime) -> dict[str, datetime]:
    """Return username -> time for users, deleted ones too, whose tokens issued before that time were voided after
    `since`."""
    voided_at = func.coalesce(UserRow.deleted_at, UserRow.valid_from)
    rows = connection.execute(select(UserRow.username, voided_at).where(voided_at > since))
    return {username: time for username, time in rows}


def _write(connection: Connection, username: str, password_hash: str, role: str, now: datetime, replace: Any) -> bool:
    """Insert a user, or replace the row of that name if the condition `replace` holds. Return whether it wrote."""
    values = {"password_hash": password_hash, "role": _checked(role), "valid_from": now, "created_at": now}
    values |= {"deleted_at": None}
    statement = upsert(connection, UserRow).values(username=username, **values)
    statement = statement.on_conflict_do_update(index_elements=["username"], set_=values, where=replace)
    return connection.execute(statement).rowcount > 0


def _refuse_last_admin(connection: Connection, username: str) -> None:
    # The rows of all admins are locked, in one order: two admins who delete each other do so one after the other.
    admins = select(UserRow.username).where(UserRow.role == "admin", _active)
    if connection.scalars(admins.order_by(UserRow.username).with_for_update()).all() == [username]:
        raise LastAdminError(f"{username} is the last admin")


def _checked(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    return role
