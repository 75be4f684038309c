"""Users have an id, and what they did carries it; product codes have 64 bits; logins that succeeded are known."""

import unicodedata
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Ids of rows that had a name only. They are derived from it, so that auth and a prediction service that keep their
# ledgers apart derive the same ones. Users who are created later have random ids.
_NAMES = uuid5(NAMESPACE_URL, "urn:product-types:username")
_FORMER_NAMES = uuid5(NAMESPACE_URL, "urn:product-types:username:former")
_LONGEST_NAME = 64
_TIME = sa.DateTime(timezone=True)
# table -> the column with the name, the column with the time
_OWNED = {
    "predictions": ("username", "created_at"),
    "feedback": ("given_by", "given_at"),
    "receipts": ("owner", "created_at"),
}


def upgrade() -> None:
    """Give every user an id, and put it where the name was."""
    connection = op.get_bind()
    users = list(connection.execute(sa.text("SELECT * FROM users")).mappings())
    for table, (name, time) in _OWNED.items():
        _name_to_id(connection, table, name, time, {user["username"]: user["created_at"] for user in users})
    op.execute("ALTER TABLE predictions RENAME COLUMN username TO user_id")
    _replace_users(connection, users)
    if connection.dialect.name == "postgresql":  # in SQLite an INTEGER has 64 bits
        op.alter_column("predictions", "predicted_code", type_=sa.BigInteger)
        op.alter_column("feedback", "correct_code", type_=sa.BigInteger)
    op.add_column("audit", sa.Column("actor_id", sa.String(36)))
    op.add_column("audit", sa.Column("subject_id", sa.String(36)))
    op.create_table(
        "known_logins",
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("ix_known_logins_at", "known_logins", ["at"])


def _name_to_id(connection: sa.Connection, table: str, name: str, time: str, created: dict[str, Any]) -> None:
    """Replace names by ids. Rows that are older than the user of that name belong to a former user of it."""
    owned = sa.table(table, sa.column(name), sa.column(time))
    whose, when = owned.c[name], owned.c[time]
    for username in connection.scalars(sa.select(whose).distinct()).all():
        change = sa.update(owned).where(whose == username)
        if since := created.get(username):
            former = change.where(when < since).values({name: str(uuid5(_FORMER_NAMES, username))})
            connection.execute(former)
        connection.execute(change.values({name: str(uuid5(_NAMES, username))}))


def _replace_users(connection: sa.Connection, users: list[Any]) -> None:
    op.drop_table("users")
    table = op.create_table(
        "users",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("voided_at", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("deleted_at", _TIME),
    )
    taken = {user["username"] for user in users}
    for user in users:
        name = _normalised(user["username"])
        if name in taken or len(name) > _LONGEST_NAME:  # keeps the name; an admin can delete the user by id
            name = user["username"]
        taken.add(name)
        connection.execute(
            sa.insert(table).values(
                id=str(uuid5(_NAMES, user["username"])), username=name, password_hash=user["password_hash"],
                role=user["role"], generation=0, voided_at=_read(user["valid_from"]),
                created_at=_read(user["created_at"]), deleted_at=_read(user["deleted_at"]),
            )
        )  # fmt: skip
    only_active = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_users_of_name", "users", ["username"], unique=True, sqlite_where=only_active, postgresql_where=only_active
    )


def _normalised(name: str) -> str:
    """Return the name as names are normalised since this revision: two spellings that look the same are one name."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf")


def _read(time: Any) -> datetime | None:
    """Return a time as the driver gave it: SQLite's is text."""
    return datetime.fromisoformat(time) if isinstance(time, str) else time
