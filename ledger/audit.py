"""Who did what to whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from ledger.tables import AuditRow


def record_event(connection: Connection, actor: str, event: str, subject: str, now: datetime, **detail: Any) -> None:
    """Record an event, in the transaction in which it happens. Never pass the text of a listing or a password."""
    connection.execute(insert(AuditRow).values(at=now, actor=actor, event=event, subject=subject, detail=detail))
