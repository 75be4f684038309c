"""Who did what to whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, insert, select

from ledger.callers import Caller
from ledger.tables import AuditRow, UserRow
from ledger.users import User


@dataclass(frozen=True)
class Party:
    """Who acts, or who is acted upon. The id stays when the name is given to another user."""

    name: str
    id: str | None = None

    @classmethod
    def of(cls, user: User | Caller) -> Self:
        """Return a user as a party."""
        return cls(user.username, user.id if isinstance(user, User) else user.user_id)


LOGGED_IN = "logged in"
ANYBODY = Party("")  # somebody who has not shown who it is


def record_event(
    connection: Connection, actor: Party, event: str, subject: Party, now: datetime, **detail: Any
) -> None:
    """Record an event, in the transaction in which it happens. Never pass the text of a listing or a password."""
    connection.execute(
        insert(AuditRow).values(
            at=now, actor=actor.name, actor_id=actor.id, event=event, subject=subject.name, subject_id=subject.id,
            detail=detail,
        )
    )  # fmt: skip


def logins_since(connection: Connection, user_id: str, since: datetime, limit: int = 100) -> list[tuple[datetime, str]]:
    """Return when and from which address a user logged in since then, the newest first, at most `limit`.

    Logins whose tokens were voided are left out.
    """
    voided_at = select(UserRow.voided_at).where(UserRow.id == user_id).scalar_subquery()
    logins = select(AuditRow.at, AuditRow.detail).where(
        AuditRow.at >= since, AuditRow.at >= voided_at, AuditRow.event == LOGGED_IN, AuditRow.subject_id == user_id
    )
    rows = connection.execute(logins.order_by(AuditRow.at.desc()).limit(limit))
    return [(at, str(detail["address"])) for at, detail in rows]
