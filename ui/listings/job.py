"""A catalogue that is classified in the background, piece by piece, while its user goes on with the page."""

import weakref
from collections.abc import Sequence
from threading import Event, Thread
from typing import Protocol

from ui.listings.answers import Answers
from ui.listings.pieces import Piece, cut
from ui.services.prediction import BatchItem, Listing
from ui.services.transport import AWAY, ServiceError

_ATTEMPTS = 8  # of a piece, in a row
_LONGEST_WAIT = 60.0  # seconds
_TRANSIENT = {AWAY, 429, 502, 503, 504}


class Classifier(Protocol):
    """What classifies: the prediction service, asked as one user."""

    def predict_batch(self, listings: Sequence[Listing], key: str) -> list[BatchItem]:
        """Classify some listings. Raises `ServiceError`."""


class Job:
    """The work on one catalogue. It stops when nobody has it any more: when the session of its user has ended."""

    def __init__(self, listings: Sequence[Listing], rows: Sequence[int]) -> None:
        self.total = len(listings)
        self._work = _Work(listings, rows)
        self._thread: Thread | None = None
        weakref.finalize(self, self._work.stop.set)

    @property
    def answers(self) -> Answers:
        """The answers so far."""
        return self._work.answers

    @property
    def running(self) -> bool:
        """Whether it works now."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def done(self) -> bool:
        """Whether every listing has its answer."""
        return not self._work.left

    @property
    def error(self) -> ServiceError | None:
        """What ended the work before its end; None while it runs, and when it is done or was stopped."""
        return self._work.error

    @property
    def waiting(self) -> float:
        """For how many seconds it waits for a busy service; 0 when it does not."""
        return self._work.waiting

    def start(self, service: Classifier) -> None:
        """Begin, or go on where it was stopped or failed."""
        if self.running or self.done:
            return
        self._work.stop.clear()
        self._work.error = None
        self._thread = Thread(target=self._work.run, args=(service,), name="catalogue", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop after the piece that is under way. The answers so far stay."""
        self._work.stop.set()

    def join(self) -> None:
        """Wait until it does not run any more."""
        if self._thread is not None:
            self._thread.join()


class _Work:
    """What the thread has of a job."""

    def __init__(self, listings: Sequence[Listing], rows: Sequence[int]) -> None:
        self.answers = Answers()
        self.left: list[Piece] = list(cut(listings))
        self.error: ServiceError | None = None
        self.waiting = 0.0
        self.stop = Event()
        self._rows = rows

    def run(self, service: Classifier) -> None:
        try:
            while self.left and not self.stop.is_set():
                piece = self.left[0]
                items = self._ask(service, piece)
                if items is None:
                    return
                self.answers.add(self._rows[piece.start : piece.start + len(piece.listings)], items)
                del self.left[0]
        except ServiceError as error:
            self.error = error

    def _ask(self, service: Classifier, piece: Piece) -> list[BatchItem] | None:
        """Return the answer to a piece, asked again while the service is busy; None when it was stopped meanwhile."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return service.predict_batch(piece.listings, piece.key)
            except ServiceError as error:
                if error.status not in _TRANSIENT or attempt == _ATTEMPTS:
                    raise
                self.waiting = float(error.retry_after) if error.retry_after else min(2.0**attempt / 2, _LONGEST_WAIT)
            stopped = self.stop.wait(self.waiting)
            self.waiting = 0.0
            if stopped:
                return None
        raise AssertionError("the last attempt returns or raises")
