"""Storing requests in batches: each batch in one transaction, over a connection that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, StatementError

from ledger.callers import Caller, RevokedError, is_valid_caller
from ledger.database import LedgerError, translated
from ledger.predictions import PredictionRecord, store_predictions
from ledger.receipts import KeyReuseError, ReceiptRecord, find_receipts, of_same_request, store_receipts
from ledger.users import active_users

_ATTEMPTS = 3
_KEPT_SECONDS = 1  # an idle connection is used again for so long; after that the pool checks it


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """The predictions of one request, stored all or none, and the receipt of the request if it has a key."""

    caller: Caller
    records: Sequence[PredictionRecord]
    receipt: ReceiptRecord | None


StoreResult = ReceiptRecord | Exception | None  # the earlier receipt, an error, or None when stored


class BatchStore:
    """Stores batches of requests. `check_callers`: users live in this database, and invalid callers are refused."""

    def __init__(self, engine: Engine, *, check_callers: bool) -> None:
        self._engine = engine
        self._check_callers = check_callers
        self._connection: Connection | None = None
        self._used_at = 0.0

    def store(self, requests: Sequence[StoreRequest]) -> list[StoreResult]:
        """Return the result of each request, after the commit. A request that fails does not affect the others."""
        for _ in range(_ATTEMPTS):
            try:
                return self._transact(requests)
            except LedgerError as error:
                self.close()
                return [LedgerError(str(error)) for _ in requests]
            except IntegrityError as error:  # another process stored a receipt just now: the next attempt finds it
                refused: Exception = error
            except (StatementError, ValueError, TypeError, OverflowError) as error:  # a value that no column accepts
                refused = error
                break
        if len(requests) == 1:
            return [refused]
        return [result for request in requests for result in self.store([request])]

    def close(self) -> None:
        """Return the connection to the pool."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transact(self, requests: Sequence[StoreRequest]) -> list[StoreResult]:
        if monotonic() - self._used_at > _KEPT_SECONDS:
            self.close()
        with translated(self._engine, "written"):
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(ledger_writes=True)
            with self._connection.begin():
                results = self._write(self._connection, requests)
        self._used_at = monotonic()
        return results

    def _write(self, connection: Connection, requests: Sequence[StoreRequest]) -> list[StoreResult]:
        callers = {request.caller.user_id for request in requests}
        active = active_users(connection, callers) if self._check_callers else None
        keyed = [request.receipt for request in requests if request.receipt]
        receipts = find_receipts(connection, [(receipt.owner, receipt.key) for receipt in keyed])
        results: list[StoreResult] = []
        records: list[PredictionRecord] = []
        new_receipts: list[ReceiptRecord] = []
        for request in requests:
            result = _refusal(request, active, receipts)
            if result is None:
                records += request.records
                if request.receipt:
                    new_receipts.append(request.receipt)
                    # For the same request later in this batch.
                    receipts[request.receipt.owner, request.receipt.key] = request.receipt
            results.append(result)
        store_predictions(connection, records)
        store_receipts(connection, new_receipts)
        return results


def _refusal(
    request: StoreRequest,
    active: Mapping[str, tuple[str, int]] | None,
    receipts: Mapping[tuple[str, str], ReceiptRecord],
) -> StoreResult:
    """Return why a request is not stored: an error, or the receipt of an earlier one. None: it is to be stored."""
    if active is not None and not is_valid_caller(request.caller, active):
        return RevokedError("the token no longer counts")
    if request.receipt is None or not (earlier := receipts.get((request.receipt.owner, request.receipt.key))):
        return None
    try:
        return of_same_request(earlier, request.receipt.fingerprint)
    except KeyReuseError as error:
        return error
