"""Orders to store predictions: as many as there are, in one transaction, over a connection that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, StatementError

from ledger.callers import Caller, RevokedError, is_valid_caller
from ledger.database import LedgerError, translated
from ledger.predictions import PredictionRecord, store_predictions
from ledger.receipts import KeyReuseError, ReceiptRecord, find_receipts, keep_receipts, matching
from ledger.users import active_users

_ATTEMPTS = 3
_KEPT_SECONDS = 1  # for how long an idle connection is trusted; then the pool looks whether it still is one


@dataclass(frozen=True, slots=True)
class Order:
    """Predictions that one caller asked for, stored together or not at all, and the request's receipt if it has one."""

    caller: Caller
    records: Sequence[PredictionRecord]
    receipt: ReceiptRecord | None


Outcome = ReceiptRecord | Exception | None  # the receipt of an earlier request, why not, or stored


class BatchStore:
    """Stores batches of orders, each in one transaction. `check_callers`: it refuses orders of invalid callers."""

    def __init__(self, engine: Engine, *, check_callers: bool) -> None:
        self._engine = engine
        self._check_callers = check_callers
        self._connection: Connection | None = None
        self._used_at = 0.0

    def store(self, orders: Sequence[Order]) -> list[Outcome]:
        """Return what became of each order, once that is committed. What cannot be stored of one spares the others."""
        for _ in range(_ATTEMPTS):
            try:
                return self._transact(orders)
            except LedgerError as error:
                self.close()
                return [LedgerError(str(error)) for _ in orders]
            except IntegrityError as error:  # another process kept a receipt just now: it is found the next time
                refused: Exception = error
            except (StatementError, ValueError, TypeError, OverflowError) as error:  # no value for a column
                refused = error
                break
        if len(orders) == 1:
            return [refused]
        return [outcome for order in orders for outcome in self.store([order])]

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transact(self, orders: Sequence[Order]) -> list[Outcome]:
        if monotonic() - self._used_at > _KEPT_SECONDS:
            self.close()
        with translated(self._engine, "written"):
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(ledger_writes=True)
            with self._connection.begin():
                outcomes = self._write(self._connection, orders)
        self._used_at = monotonic()
        return outcomes

    def _write(self, connection: Connection, orders: Sequence[Order]) -> list[Outcome]:
        active = active_users(connection, {order.caller.username for order in orders}) if self._check_callers else None
        keyed = [order.receipt for order in orders if order.receipt]
        receipts = find_receipts(connection, [(receipt.owner, receipt.key) for receipt in keyed])
        outcomes: list[Outcome] = []
        records: list[PredictionRecord] = []
        kept: list[ReceiptRecord] = []
        for order in orders:
            outcome = _refusal(order, active, receipts)
            if outcome is None:
                records += order.records
                if order.receipt:
                    kept.append(order.receipt)
                    receipts[order.receipt.owner, order.receipt.key] = order.receipt  # for its twin in this batch
            outcomes.append(outcome)
        store_predictions(connection, records)
        keep_receipts(connection, kept)
        return outcomes


def _refusal(
    order: Order,
    active: Mapping[str, tuple[str, datetime]] | None,
    receipts: Mapping[tuple[str, str], ReceiptRecord],
) -> Outcome:
    """Return what stands against storing an order: its caller, or an earlier request; None if nothing."""
    if active is not None and not is_valid_caller(order.caller, active):
        return RevokedError("the token no longer counts")
    if order.receipt is None or not (earlier := receipts.get((order.receipt.owner, order.receipt.key))):
        return None
    try:
        return matching(earlier, order.receipt.fingerprint)
    except KeyReuseError as error:
        return error
