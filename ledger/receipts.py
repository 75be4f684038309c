"""Receipts: a request that is repeated with its idempotency key has no second effect and gets the first answer."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, Engine, bindparam, insert, select, tuple_, update

from ledger.database import upsert, writing
from ledger.tables import ReceiptRow


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """The answer to a request. `fingerprint`: a digest of the request, to recognise the same request."""

    owner: str
    key: str
    fingerprint: str
    status: int
    body: str
    created_at: datetime


class KeyReuseError(ValueError):
    """The key was used for another request."""


_NAMES = tuple(field.name for field in fields(ReceiptRecord))
_COLUMNS = [getattr(ReceiptRow, name) for name in _NAMES]
_values = attrgetter(*_NAMES)
_among = select(*_COLUMNS).where(tuple_(ReceiptRow.owner, ReceiptRow.key).in_(bindparam("pairs", expanding=True)))
_PENDING = 0  # the status while the effect of a request runs; no other transaction ever sees it


def find_receipt(connection: Connection, owner: str, key: str, fingerprint: str) -> ReceiptRecord | None:
    """Return the receipt of an earlier request with this key. Raises `KeyReuseError` if that was another request."""
    row = connection.execute(select(*_COLUMNS).where(ReceiptRow.owner == owner, ReceiptRow.key == key)).first()
    return of_same_request(ReceiptRecord(*row), fingerprint) if row else None


def of_same_request(receipt: ReceiptRecord, fingerprint: str) -> ReceiptRecord:
    """Return the receipt if it belongs to the request with this fingerprint. Raises `KeyReuseError`."""
    if receipt.fingerprint != fingerprint:
        raise KeyReuseError("this idempotency key was used for another request")
    return receipt


def find_receipts(
    connection: Connection, owners_and_keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], ReceiptRecord]:
    """Return the receipts that exist of these owners and keys."""
    if not owners_and_keys:
        return {}
    found = [ReceiptRecord(*row) for row in connection.execute(_among, {"pairs": list(owners_and_keys)})]
    return {(receipt.owner, receipt.key): receipt for receipt in found}


def store_receipts(connection: Connection, records: Sequence[ReceiptRecord]) -> None:
    """Store receipts. Raises SQLAlchemy's `IntegrityError` when one with the same owner and key exists."""
    if records:
        connection.execute(insert(ReceiptRow), [dict(zip(_NAMES, _values(record), strict=True)) for record in records])


def run_once(
    engine: Engine,
    owner: str,
    key: str | None,
    fingerprint: str,
    effect: Callable[[Connection], tuple[int, str]],
    now: datetime,
) -> tuple[int, str, bool]:
    """Run an effect and store its status and body as a receipt, in one transaction.

    Returns status, body and whether they are those of an earlier request, for which nothing was run. The receipt is
    inserted before the effect runs: of two identical requests at the same time the second waits for the first and then
    gets its answer. When the effect raises, nothing is stored, and the key can be used again. Without a key no receipt
    is stored.

    Raises `KeyReuseError`, `LedgerError`, and whatever the effect raises.
    """
    with writing(engine) as connection:
        if key is None:
            return *effect(connection), False
        claim = upsert(connection, ReceiptRow).values(
            owner=owner, key=key, fingerprint=fingerprint, status=_PENDING, body="", created_at=now
        )
        while not connection.execute(claim.on_conflict_do_nothing()).rowcount:
            if earlier := find_receipt(connection, owner, key, fingerprint):  # None: it was purged just now
                return earlier.status, earlier.body, True
        status, body = effect(connection)
        mine = update(ReceiptRow).where(ReceiptRow.owner == owner, ReceiptRow.key == key)
        connection.execute(mine.values(status=status, body=body))
        return status, body, False
