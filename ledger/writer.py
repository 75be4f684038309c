"""Group commit: requests that arrive while others are being stored share a transaction; each waits for its commit."""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Engine

from ledger.batch import BatchStore, StoreRequest, StoreResult
from ledger.callers import Caller
from ledger.database import LedgerError
from ledger.direct_insert import DirectInsert
from ledger.engine import commits_at_once
from ledger.predictions import PredictionRecord
from ledger.receipts import ReceiptRecord

_BATCH_RECORDS = 500  # in one transaction, unless a single request has more
# A transaction costs as much as eight more records in it, so it pays to wait for requests that are about to arrive: the
# event loop runs on as long as it brings new ones, but not longer than this. A request is alone when none follows in
# two turns of the loop, which is how many turns a request takes from its bytes to this writer.
_LONGEST_GATHERING = 0.005  # seconds
_QUIET_TURNS = 2


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: StoreRequest
    future: "asyncio.Future[ReceiptRecord | None]"


class PredictionWriter:
    """Stores predictions: a single request on the event loop, several as a batch in one thread.

    `check_callers`: users live in this database, and the transaction that stores a request also checks its caller.
    """

    def __init__(self, engine: Engine, *, check_callers: bool, maximum_waiting: int = 5_000) -> None:
        self._store = BatchStore(engine, check_callers=check_callers)
        # Where a commit does not wait, the event loop stores a single request itself: handing it to the thread and
        # being woken again would take as long as the commit.
        self._direct = DirectInsert(engine, check_callers=check_callers) if commits_at_once(engine) else None
        self._direct_lock = threading.Lock()
        self._maximum_waiting = maximum_waiting
        self._queue: deque[_Waiting] = deque()
        self._records = 0  # in the queue or being stored
        self._arrived = 0  # requests, ever
        self._gathering: set[asyncio.AbstractEventLoop] = set()
        self._gathered = False
        self._closed = False
        self._changed = threading.Condition(threading.Lock())
        self._thread = threading.Thread(target=self._run, name="prediction-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Records that are not committed yet."""
        return self._records

    async def store(
        self, caller: Caller, records: Sequence[PredictionRecord], receipt: ReceiptRecord | None = None
    ) -> ReceiptRecord | None:
        """Return None after the commit; or, with nothing stored, the receipt of an earlier request with the same key.

        Raises `RevokedError` when the caller's token no longer counts, `KeyReuseError` when the key belongs to another
        request, `LedgerError` when the database does not answer, too many records wait or the writer is closed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ReceiptRecord | None] = loop.create_future()
        with self._changed:
            if self._closed:
                raise LedgerError("the ledger's writer is closed")
            if self._records + len(records) > self._maximum_waiting:
                raise LedgerError(f"too many predictions wait to be stored: {self._records:,}")
            self._records += len(records)
            self._queue.append(_Waiting(StoreRequest(caller, records, receipt), future))
            self._arrived += 1
        if loop not in self._gathering:
            self._gathering.add(loop)
            loop.call_soon(self._gather, loop, self._arrived, 0, monotonic() + _LONGEST_GATHERING)
        return await future

    def close(self) -> None:
        """Commit what waits and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        with self._direct_lock:
            if self._direct:
                self._direct.close()

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int, quiet: int, until: float) -> None:
        """Let the event loop run on while it brings requests, then store a single one here or wake the thread."""
        quiet = quiet + 1 if self._arrived == seen else 0
        if quiet < _QUIET_TURNS and self._records < _BATCH_RECORDS and monotonic() < until:
            loop.call_soon(self._gather, loop, self._arrived, quiet, until)
            return
        self._gathering.discard(loop)
        stored = False
        try:
            stored = self._store_directly(loop)
        finally:
            if not stored:
                with self._changed:
                    self._gathered = True
                    self._changed.notify()

    def _store_directly(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Store the only request that waits, and return whether that was done; not while another process writes."""
        if self._direct is None or not self._direct_lock.acquire(blocking=False):
            return False
        try:
            with self._changed:
                alone = len(self._queue) == 1 and self._records == len(self._queue[0].request.records)
                if not alone or self._queue[0].future.get_loop() is not loop:
                    return False
                waiting = self._queue.popleft()
            stored = False
            try:
                stored = self._direct.store(waiting.request)
            finally:
                with self._changed:
                    if stored:
                        self._records -= len(waiting.request.records)
                    else:
                        self._queue.appendleft(waiting)
            if stored:
                _wake([(waiting, None)])
            return stored
        finally:
            self._direct_lock.release()

    def _run(self) -> None:
        batch: list[_Waiting] = []
        try:
            while batch := self._take():
                results = self._store.store([waiting.request for waiting in batch])
                self._settle(zip(batch, results, strict=True))
        finally:
            self._store.close()
            with self._changed:
                self._closed = True
                left = [*batch, *self._queue]  # empty, unless an unexpected error ended the loop
            self._settle((waiting, LedgerError("the ledger's writer has ended")) for waiting in left)

    def _take(self) -> list[_Waiting]:
        """Wait for requests and return as many as fit into a batch; an empty list when the writer is closed."""
        batch: list[_Waiting] = []
        size = 0
        with self._changed:
            while not (self._queue and self._gathered) and not self._closed:
                self._changed.wait()
            while self._queue and (not batch or size + len(self._queue[0].request.records) <= _BATCH_RECORDS):
                batch.append(self._queue.popleft())
                size += len(batch[-1].request.records)
            self._gathered = bool(self._queue)  # the rest has been gathered too
        return batch

    def _settle(self, settled: Iterable[tuple[_Waiting, StoreResult]]) -> None:
        """Wake those who wait, in one call for each event loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, StoreResult]]] = defaultdict(list)
        records = 0
        for waiting, result in settled:
            by_loop[waiting.future.get_loop()].append((waiting, result))
            records += len(waiting.request.records)
        with self._changed:
            self._records -= records
        for loop, of_loop in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_wake, of_loop)


def _wake(settled: list[tuple[_Waiting, StoreResult]]) -> None:
    for waiting, result in settled:
        if waiting.future.done():  # the request was cancelled
            continue
        if isinstance(result, Exception):
            waiting.future.set_exception(result)
        else:
            waiting.future.set_result(result)
