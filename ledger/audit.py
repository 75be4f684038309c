"""Who did what to whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from ledger.tables import Audit


def note(connection: Connection, actor: str, event: str, subject: str, now: datetime, **detail: Any) -> None:
    """Note an event, in the transaction that it happens in. Neither a listing's text nor a password belongs here."""
    connection.execute(insert(Audit).values(at=now, actor=actor, event=event, subject=subject, detail=detail))
