"""Users: who may come in, with which role, and since when their tokens count."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from ledger import tables
from ledger.callers import ROLES
from ledger.database import upsert

_users = tables.User
_active = _users.deleted_at.is_(None)
_COLUMNS = (_users.username, _users.role, _users.password_hash, _users.valid_from, _users.created_at)
SELECT_ACTIVE_USERS = select(_users.username, _users.role, _users.valid_from).where(
    _users.username.in_(bindparam("usernames", expanding=True)), _active
)  # built once: that takes four times as long as asking


@dataclass(frozen=True)
class User:
    """A user who is not deleted. Tokens issued before `valid_from` are void."""

    username: str
    role: str
    password_hash: str
    valid_from: datetime
    created_at: datetime


class UserExistsError(ValueError):
    """There is a user of that name."""


class UnknownUserError(LookupError):
    """There is no user of that name."""


class LastAdminError(ValueError):
    """No admin would be left."""


def find_user(connection: Connection, username: str) -> User | None:
    """Return the user of that name, unless deleted."""
    row = connection.execute(select(*_COLUMNS).where(_users.username == username, _active)).first()
    return User(*row) if row else None


def list_users(connection: Connection) -> list[User]:
    """Return all users who are not deleted, by name."""
    rows = connection.execute(select(*_COLUMNS).where(_active).order_by(_users.username))
    return [User(*row) for row in rows]


def has_admin(connection: Connection) -> bool:
    """Tell whether there is an admin."""
    return connection.execute(select(1).where(_users.role == "admin", _active).limit(1)).first() is not None


def create_user(connection: Connection, username: str, password_hash: str, role: str, now: datetime) -> User:
    """Create a user; a deleted one's name may be given again. Raises `UserExistsError`."""
    if not _write(connection, username, password_hash, role, now, over=_users.deleted_at.is_not(None)):
        raise UserExistsError(f"there is a user {username}")
    return User(username, role, password_hash, now, now)


def ensure_admin(connection: Connection, username: str, password_hash: str, now: datetime) -> bool:
    """Create an admin where there is none at all, and tell whether that was done. Many may try at once.

    A user of that name who is no admin becomes one, with this password.
    """
    no_admin = _users.deleted_at.is_not(None) | (_users.role != "admin")
    return not has_admin(connection) and _write(connection, username, password_hash, "admin", now, over=no_admin)


def change_user(
    connection: Connection, username: str, *, now: datetime, password_hash: str | None = None, role: str | None = None
) -> User:
    """Change a user's password, role, both or neither; in any case the tokens issued so far are void.

    Raises `UnknownUserError`, and `LastAdminError` when no admin would be left.
    """
    if role not in (None, "admin"):
        _keep_an_admin(connection, username)
    values: dict[str, Any] = {"password_hash": password_hash, "role": _known(role) if role else None}
    changes = {name: value for name, value in values.items() if value is not None}
    changed = update(_users).where(_users.username == username, _active).values(valid_from=now, **changes)
    connection.execute(changed)
    user = find_user(connection, username)
    if user is None:
        raise UnknownUserError(f"there is no user {username}")
    return user


def delete_user(connection: Connection, username: str, now: datetime) -> None:
    """Delete a user; the tokens issued so far are void. The row stays, so that `revocations` can tell of it.

    Raises `UnknownUserError`, and `LastAdminError` when no admin would be left.
    """
    _keep_an_admin(connection, username)
    deleted = update(_users).where(_users.username == username, _active).values(deleted_at=now, password_hash="")
    if not connection.execute(deleted).rowcount:
        raise UnknownUserError(f"there is no user {username}")


def active_users(connection: Connection, usernames: Collection[str]) -> dict[str, tuple[str, datetime]]:
    """Return role and `valid_from` of those of these users who are not deleted."""
    rows = connection.execute(SELECT_ACTIVE_USERS, {"usernames": list(usernames)})
    return {username: (role, valid_from) for username, role, valid_from in rows}


def revocations(connection: Connection, since: datetime) -> dict[str, datetime]:
    """Return the users, deleted ones too, whose earlier tokens were voided after `since`, and when that was."""
    voided_at = func.coalesce(_users.deleted_at, _users.valid_from)
    rows = connection.execute(select(_users.username, voided_at).where(voided_at > since))
    return {username: moment for username, moment in rows}


def _write(connection: Connection, username: str, password_hash: str, role: str, now: datetime, over: Any) -> bool:
    """Insert a user, or write it over a row of that name where `over` holds; tell whether that was done."""
    values = {"password_hash": password_hash, "role": _known(role), "valid_from": now, "created_at": now}
    values |= {"deleted_at": None}
    statement = upsert(connection, _users).values(username=username, **values)
    statement = statement.on_conflict_do_update(index_elements=["username"], set_=values, where=over)
    return connection.execute(statement).rowcount > 0


def _keep_an_admin(connection: Connection, username: str) -> None:
    # All admins' rows are locked, in one order: two admins who remove each other do so one after the other.
    admins = select(_users.username).where(_users.role == "admin", _active)
    if connection.scalars(admins.order_by(_users.username).with_for_update()).all() == [username]:
        raise LastAdminError(f"{username} is the last admin")


def _known(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    return role
