"""Users: who may log in, with which role, and which of their tokens count."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, bindparam, select, text, update

from ledger.callers import ROLES
from ledger.database import upsert
from ledger.tables import UserRow

_active = UserRow.deleted_at.is_(None)
_COLUMNS = (
    UserRow.id, UserRow.username, UserRow.role, UserRow.password_hash, UserRow.generation, UserRow.created_at,
)  # fmt: skip
SELECT_ACTIVE_USERS = select(UserRow.id, UserRow.role, UserRow.generation).where(
    UserRow.id.in_(bindparam("ids", expanding=True)), _active
)  # built once: building it takes four times as long as executing it


@dataclass(frozen=True)
class User:
    """A user who is not deleted. Tokens of an earlier `generation` are void."""

    id: str
    username: str
    role: str
    password_hash: str
    generation: int
    created_at: datetime


class UserExistsError(ValueError):
    """A user of that name exists already."""


class UnknownUserError(LookupError):
    """There is no user of that name."""


class LastAdminError(ValueError):
    """No admin would be left."""


def find_user(connection: Connection, username: str) -> User | None:
    """Return the user who has that name now."""
    return _first(connection, UserRow.username == username)


def find_user_by_id(connection: Connection, user_id: str) -> User | None:
    """Return the user with that id, unless deleted."""
    return _first(connection, UserRow.id == user_id)


def list_users(connection: Connection) -> list[User]:
    """Return all users who are not deleted, by name."""
    rows = connection.execute(select(*_COLUMNS).where(_active).order_by(UserRow.username))
    return [User(*row) for row in rows]


def has_admin(connection: Connection) -> bool:
    """Return whether there is an admin."""
    return connection.execute(select(1).where(UserRow.role == "admin", _active).limit(1)).first() is not None


def create_user(connection: Connection, username: str, password_hash: str, role: str, now: datetime) -> User:
    """Create a user, with an id that no other user has or had. Raises `UserExistsError`.

    The name of a deleted user may be used again; the new user has nothing of the deleted one.
    """
    user = User(str(uuid4()), username, _checked(role), password_hash, 0, now)
    values = {
        "id": user.id, "username": username, "role": role, "password_hash": password_hash, "generation": 0,
        "voided_at": now, "created_at": now,
    }  # fmt: skip
    insertion = upsert(connection, UserRow).values(values)
    insertion = insertion.on_conflict_do_nothing(index_elements=["username"], index_where=text("deleted_at IS NULL"))
    if not connection.execute(insertion).rowcount:
        raise UserExistsError(f"there is a user {username}")
    return user


def ensure_admin(connection: Connection, username: str, password_hash: str, now: datetime) -> bool:
    """Create an admin if there is none, and return whether one was created. Several processes may do so at once.

    A user of that name who is no admin becomes one, with this password.
    """
    if has_admin(connection):
        return False
    try:
        create_user(connection, username, password_hash, "admin", now)
    except UserExistsError:  # also when another process has created the admin just now
        promoted = update(UserRow).where(UserRow.username == username, UserRow.role != "admin", _active)
        values = {"password_hash": password_hash, "role": "admin"}
        return connection.execute(promoted.values(**values, **_voided(now))).rowcount > 0
    return True


def change_user(
    connection: Connection, user_id: str, *, now: datetime, password_hash: str | None = None, role: str | None = None
) -> User:
    """Change a user's password, role, both or neither; in any case the tokens issued so far become void.

    Raises `UnknownUserError`, and `LastAdminError` when no admin would be left.
    """
    if role not in (None, "admin"):
        _refuse_last_admin(connection, user_id)
    values: dict[str, Any] = {"password_hash": password_hash, "role": _checked(role) if role else None}
    changes = {name: value for name, value in values.items() if value is not None}
    changed = update(UserRow).where(UserRow.id == user_id, _active).values(**changes, **_voided(now))
    connection.execute(changed)
    user = find_user_by_id(connection, user_id)
    if user is None:
        raise UnknownUserError(f"there is no user {user_id}")
    return user


def delete_user(connection: Connection, user_id: str, now: datetime) -> None:
    """Delete a user; the tokens issued so far become void. The row stays, so that `revocations` can return the id.

    Raises `UnknownUserError`, and `LastAdminError` when no admin would be left.
    """
    _refuse_last_admin(connection, user_id)
    deleted = update(UserRow).where(UserRow.id == user_id, _active)
    if not connection.execute(deleted.values(deleted_at=now, password_hash="", **_voided(now))).rowcount:
        raise UnknownUserError(f"there is no user {user_id}")


def active_users(connection: Connection, ids: Collection[str]) -> dict[str, tuple[str, int]]:
    """Return user id -> (role, generation of tokens that count) of those of these users who are not deleted."""
    rows = connection.execute(SELECT_ACTIVE_USERS, {"ids": list(ids)})
    return {user_id: (role, generation) for user_id, role, generation in rows}


def revocations(connection: Connection, since: datetime) -> dict[str, int]:
    """Return user id -> first generation of tokens that counts, for users whose tokens were voided after `since`.

    Deleted users are among them: no token of theirs has that generation.
    """
    voided = select(UserRow.id, UserRow.generation).where(UserRow.generation > 0, UserRow.voided_at > since)
    return {user_id: generation for user_id, generation in connection.execute(voided)}


def _first(connection: Connection, which: ColumnElement[bool]) -> User | None:
    row = connection.execute(select(*_COLUMNS).where(which, _active)).first()
    return User(*row) if row else None


def _voided(now: datetime) -> dict[str, Any]:
    """Return the values that void all tokens issued so far."""
    return {"generation": UserRow.generation + 1, "voided_at": now}


def _refuse_last_admin(connection: Connection, user_id: str) -> None:
    # The rows of all admins are locked, in one order: two admins who delete each other do so one after the other.
    admins = select(UserRow.id).where(UserRow.role == "admin", _active)
    if connection.scalars(admins.order_by(UserRow.id).with_for_update()).all() == [user_id]:
        raise LastAdminError(f"user {user_id} is the last admin")


def _checked(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    return role
