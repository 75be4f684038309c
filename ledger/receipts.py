"""Receipts: a request that is repeated with its idempotency key has no second effect and gets the first answer."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, Engine, bindparam, insert, select, tuple_, update

from ledger.database import upsert, writing
from ledger.tables import Receipt


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """The answer to a request. `fingerprint` tells whether a later one with the same key is the same request."""

    owner: str
    key: str
    fingerprint: str
    status: int
    body: str
    created_at: datetime


class KeyReuseError(ValueError):
    """The key was used for another request."""


_NAMES = tuple(field.name for field in fields(ReceiptRecord))
_COLUMNS = [getattr(Receipt, name) for name in _NAMES]
_values = attrgetter(*_NAMES)
_among = select(*_COLUMNS).where(tuple_(Receipt.owner, Receipt.key).in_(bindparam("pairs", expanding=True)))
_PENDING = 0  # the status of a request whose effect is under way; nobody else ever sees it


def find_receipt(connection: Connection, owner: str, key: str, fingerprint: str) -> ReceiptRecord | None:
    """Return the receipt of an earlier request with this key. Raises `KeyReuseError` when that was another request."""
    row = connection.execute(select(*_COLUMNS).where(Receipt.owner == owner, Receipt.key == key)).first()
    return matching(ReceiptRecord(*row), fingerprint) if row else None


def matching(receipt: ReceiptRecord, fingerprint: str) -> ReceiptRecord:
    """Return the receipt if it is this request's. Raises `KeyReuseError`."""
    if receipt.fingerprint != fingerprint:
        raise KeyReuseError("this idempotency key was used for another request")
    return receipt


def find_receipts(
    connection: Connection, owners_and_keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], ReceiptRecord]:
    """Return the receipts that there are of these owners and keys."""
    if not owners_and_keys:
        return {}
    found = [ReceiptRecord(*row) for row in connection.execute(_among, {"pairs": list(owners_and_keys)})]
    return {(receipt.owner, receipt.key): receipt for receipt in found}


def keep_receipts(connection: Connection, records: Sequence[ReceiptRecord]) -> None:
    """Store receipts. SQLAlchemy's `IntegrityError` says that there is one with the same owner and key."""
    if records:
        connection.execute(insert(Receipt), [dict(zip(_NAMES, _values(record), strict=True)) for record in records])


def once(
    engine: Engine,
    owner: str,
    key: str | None,
    fingerprint: str,
    effect: Callable[[Connection], tuple[int, str]],
    now: datetime,
) -> tuple[int, str, bool]:
    """Run an effect and keep its status and body, in one transaction; or return what is kept, and True: a replay.

    The receipt is claimed before the effect: of two identical requests at the same time the second waits for the first,
    and then gets its answer. When the effect raises, nothing stays, and the key is free. Without a key nothing is kept.

    Raises `KeyReuseError`, `LedgerError`, and whatever the effect raises.
    """
    with writing(engine) as connection:
        if key is None:
            return *effect(connection), False
        claim = upsert(connection, Receipt).values(
            owner=owner, key=key, fingerprint=fingerprint, status=_PENDING, body="", created_at=now
        )
        while not connection.execute(claim.on_conflict_do_nothing()).rowcount:
            if earlier := find_receipt(connection, owner, key, fingerprint):  # else it was purged just now
                return earlier.status, earlier.body, True
        status, body = effect(connection)
        mine = update(Receipt).where(Receipt.owner == owner, Receipt.key == key)
        connection.execute(mine.values(status=status, body=body))
        return status, body, False
