"""One run at a time on an output: a lock of the kernel in a folder, a lease in an object store."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import psutil

from scoring.place import Place
from state.lock import LockedError, hold

LOCK = "_lock"
_RENEWED = 20  # seconds between two renewals
_VALID = 120  # seconds for which a lease that is not renewed keeps others away


class OccupiedError(RuntimeError):
    """Another run uses the same output. The message names it."""


@contextmanager
def held(place: Place, what: str) -> Iterator[None]:
    """Keep other runs away from a place while the body runs; `what` names this one for them.

    Raises `OccupiedError`.
    """
    if place.is_local:
        place.make()
        with ExitStack() as stack:
            try:
                stack.enter_context(hold(place.folder / f".{LOCK}", what))
            except LockedError as error:
                raise OccupiedError(
                    f"{place.address} is used by {error}; wait for it, or name another output"
                ) from error
            yield
        return
    lease = _Lease(place, what)
    lease.take()
    ended = Event()
    renewal = Thread(target=lease.renew_until, args=(ended,), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        ended.set()
        renewal.join()
        lease.end()


class _Lease:
    """An object that is written anew as long as its run goes on. One that is no longer renewed may be taken over.

    Two runs at the same time would do no harm: they write the same bytes.
    """

    def __init__(self, place: Place, what: str) -> None:
        self._place = place
        self._what = what
        self._tag: str | None = None

    def take(self) -> None:
        """Take the lease. Raises `OccupiedError`."""
        if not self._place.create(LOCK, self._content()):
            tag = self._place.tag(LOCK)
            earlier = json.loads(self._place.read(LOCK) or b"{}")
            if tag is None or not _has_ended(earlier) or not self._place.replace(LOCK, self._content(), tag):
                raise OccupiedError(
                    f"{self._place.address} is used by {earlier.get('what')} (process {earlier.get('pid')} on "
                    f"{earlier.get('host')}, which last said so at {earlier.get('renewed')}); if that run was killed, "
                    f"this command can go on {_VALID} seconds after that"
                )
        self._tag = self._place.tag(LOCK)

    def renew_until(self, ended: Event) -> None:
        """Renew the lease until the run has ended, or another one has taken it."""
        while not ended.wait(_RENEWED) and self._tag is not None:
            try:
                renewed = self._place.replace(LOCK, self._content(), self._tag)
            except OSError:  # the store does not answer: next time
                continue
            self._tag = self._place.tag(LOCK) if renewed else None

    def end(self) -> None:
        """Remove the lease, unless another run has taken it."""
        if self._tag is not None:
            self._place.remove(LOCK)

    def _content(self) -> bytes:
        entry = {
            "what": self._what,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "began": psutil.Process().create_time(),
            "renewed": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return json.dumps(entry).encode()


def _has_ended(entry: dict[str, Any]) -> bool:
    """Tell whether the run with a lease has certainly ended, or has not renewed it for long."""
    try:
        if entry["host"] == socket.gethostname():
            pid = int(entry["pid"])
            return not psutil.pid_exists(pid) or psutil.Process(pid).create_time() != entry["began"]
        return datetime.now(UTC) - datetime.fromisoformat(entry["renewed"]) > timedelta(seconds=_VALID)
    except (KeyError, ValueError, psutil.Error):
        return False
