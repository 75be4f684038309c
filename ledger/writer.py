"""Group commit: predictions that arrive while others are being stored go together, and each waits for its commit."""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Engine

from ledger.batch import BatchStore, Order, Outcome
from ledger.callers import Caller
from ledger.database import LedgerError
from ledger.engine import commits_at_once
from ledger.lone import LoneStore
from ledger.predictions import PredictionRecord
from ledger.receipts import ReceiptRecord

_TOGETHER = 500  # records in one transaction, unless a single order has more
# A transaction costs as much as eight more records in it, so orders that are about to come are waited for: as long as
# the event loop brings new ones, it is let go on, but not for longer than this. An order is alone when none follows for
# two turns of the loop, which is how many a request takes from its bytes to its order.
_LONGEST_GATHERING = 0.005  # seconds
_QUIET_TURNS = 2


@dataclass(frozen=True, slots=True)
class _Waiting:
    order: Order
    future: "asyncio.Future[ReceiptRecord | None]"


class PredictionWriter:
    """Stores predictions in one thread; those that come at about the same time together, a lone one at once.

    `check_callers`: users live in this database, and whose token no longer counts is refused in the same transaction.
    """

    def __init__(self, engine: Engine, *, check_callers: bool, maximum_waiting: int = 5_000) -> None:
        self._store = BatchStore(engine, check_callers=check_callers)
        # Where a commit waits for nothing, the event loop stores a lone order itself: to hand it to the thread and be
        # woken again takes as long as the commit.
        self._here = LoneStore(engine, check_callers=check_callers) if commits_at_once(engine) else None
        self._here_is_free = threading.Lock()
        self._maximum_waiting = maximum_waiting
        self._queue: deque[_Waiting] = deque()
        self._records = 0  # in the queue or being stored
        self._arrived = 0  # orders, ever
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
                raise LedgerError(f"{self._records:,} predictions wait to be stored already")
            self._records += len(records)
            self._queue.append(_Waiting(Order(caller, records, receipt), future))
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
        with self._here_is_free:
            if self._here:
                self._here.close()

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int, quiet: int, until: float) -> None:
        """Let the event loop go on while it brings orders, then wake the thread."""
        quiet = quiet + 1 if self._arrived == seen else 0
        if quiet < _QUIET_TURNS and self._records < _TOGETHER and monotonic() < until:
            loop.call_soon(self._gather, loop, self._arrived, quiet, until)
            return
        self._gathering.discard(loop)
        stored = False
        try:
            stored = self._stored_here(loop)
        finally:
            if not stored:
                with self._changed:
                    self._gathered = True
                    self._changed.notify()

    def _stored_here(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Store the only order that there is, and tell whether that was done: not while another process writes."""
        if self._here is None or not self._here_is_free.acquire(blocking=False):
            return False
        try:
            with self._changed:
                lone = len(self._queue) == 1 and self._records == len(self._queue[0].order.records)
                if not lone or self._queue[0].future.get_loop() is not loop:
                    return False
                waiting = self._queue.popleft()
            stored = False
            try:
                stored = self._here.store(waiting.order)
            finally:
                with self._changed:
                    if stored:
                        self._records -= len(waiting.order.records)
                    else:
                        self._queue.appendleft(waiting)
            if stored:
                _wake([(waiting, None)])
            return stored
        finally:
            self._here_is_free.release()

    def _run(self) -> None:
        batch: list[_Waiting] = []
        try:
            while batch := self._take():
                outcomes = self._store.store([waiting.order for waiting in batch])
                self._settle(zip(batch, outcomes, strict=True))
        finally:
            self._store.close()
            with self._changed:
                self._closed = True
                left = [*batch, *self._queue]  # nothing, unless something unforeseen ended the loop
            self._settle((waiting, LedgerError("the ledger's writer has ended")) for waiting in left)

    def _take(self) -> list[_Waiting]:
        """Return what waits, as far as it goes together; nothing when the writer is closed."""
        batch: list[_Waiting] = []
        size = 0
        with self._changed:
            while not (self._queue and self._gathered) and not self._closed:
                self._changed.wait()
            while self._queue and (not batch or size + len(self._queue[0].order.records) <= _TOGETHER):
                batch.append(self._queue.popleft())
                size += len(batch[-1].order.records)
            self._gathered = bool(self._queue)  # the rest was gathered too
        return batch

    def _settle(self, settled: Iterable[tuple[_Waiting, Outcome]]) -> None:
        """Wake those who wait, in one call for each event loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Outcome]]] = defaultdict(list)
        records = 0
        for waiting, outcome in settled:
            by_loop[waiting.future.get_loop()].append((waiting, outcome))
            records += len(waiting.order.records)
        with self._changed:
            self._records -= records
        for loop, theirs in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_wake, theirs)


def _wake(settled: list[tuple[_Waiting, Outcome]]) -> None:
    for waiting, outcome in settled:
        if waiting.future.done():  # whoever waited has gone
            continue
        if isinstance(outcome, Exception):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome)
