"""The model registry as the monitor service sees it: through commands of run.py, since it loads no tracker itself.

One command runs at a time. What was read is kept for 30 seconds, and until something was changed here.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from pydantic import TypeAdapter, ValidationError

from monitoring.report_folder import ReportFolder
from monitoring.run_py import RunPyCommand, last_error
from monitoring.timed_cache import TimedCache
from monitoring.timeline import Move
from state.processes import OverdueError, StoppedError

logger = logging.getLogger("monitoring")

LIST, SHOW, COMPARE = "list", "show", "compare"
_LIMIT = 120  # seconds for one command
_ENDING = 15  # seconds for a command to end when it is asked to
_KEPT = 30  # seconds
_MOST_KEPT = 100  # results
_MOST_WAITING = 8  # requests that wait for their turn
_PATIENCE = 20  # seconds that a change waits for its turn: it ends before the gate gives up on its request
_OLD = 300  # seconds after which the timeline has the promotion log read again
_MOVES: TypeAdapter[list[Move]] = TypeAdapter(list[Move])


class CommandFailedError(Exception):
    """A command ended with an error, or took too long. The message is a sentence for people."""


class CommandsBusyError(Exception):
    """A command cannot be run now: too many wait, or the service ends."""


@dataclass
class Models:
    """Reads the registry by `run.py models` and changes it by `run.py rollback`."""

    models: RunPyCommand
    rollback: RunPyCommand
    folder: ReportFolder
    limit: float = _LIMIT
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_WAITING), init=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False)  # of what follows
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _changes: int = field(default=0, init=False)  # of the registry, as far as they were told
    _kept: TimedCache[tuple[str, ...], dict[str, Any]] = field(
        default_factory=lambda: TimedCache(_KEPT, _MOST_KEPT), init=False
    )
    _moves: list[Move] = field(default_factory=list, init=False)
    _moves_read_at: float | None = field(default=None, init=False)
    _refreshing: threading.Thread | None = field(default=None, init=False)

    def read(self, *words: str) -> dict[str, Any]:
        """Return what `run.py models` says with these words.

        Raises `CommandFailedError` and `CommandsBusyError`.
        """
        if kept := self._kept.get(words):
            return kept[0]
        with self._in_turn(self.limit):
            if kept := self._kept.get(words):  # another request has asked the same meanwhile
                return kept[0]
            changes = self._changes
            found = self._run(self.models, *words)
            with self._guard:
                if changes == self._changes:  # else this was read before the change, at least in part
                    self._kept.put(words, found)
                    if words == (LIST,):
                        self._remember(found)
            return found

    def roll_back(self, asked_by: str, reason: str, leaving: str | None) -> dict[str, Any]:
        """Return to the version before; the result is that of `run.py rollback`.

        `leaving`: the version that has to be in production (None: any).
        Raises `CommandFailedError` and `CommandsBusyError`.
        """
        with self._in_turn(min(self.limit, _PATIENCE)):
            try:
                expected = [] if leaving is None else [f"--leaving={leaving}"]
                return self._run(self.rollback, f"--by={asked_by}", f"--reason={reason}", *expected)
            finally:
                self.forget()

    def forget(self) -> None:
        """Forget what was read, and what is being read: the registry has changed."""
        with self._guard:
            self._changes += 1
            self._kept.clear()
            self._moves_read_at = None

    def moves(self) -> list[Move]:
        """Return the promotion log as it was read last, at once. An old one is read again in the background."""
        with self._guard:
            read_at = self._moves_read_at
            idle = self._refreshing is None or not self._refreshing.is_alive()
            if idle and not self._stop.is_set() and (read_at is None or monotonic() - read_at > _OLD):
                self._refreshing = threading.Thread(target=self._refresh, name="promotion log")
                self._refreshing.start()
        return self._moves

    def stop(self) -> None:
        """End the command under way, wait for its end, and run no other."""
        self._stop.set()
        with self._guard:
            thread = self._refreshing
        if thread:
            thread.join()
        if self._turn.acquire(timeout=_ENDING):  # a request waits for its command
            self._turn.release()

    def _refresh(self) -> None:
        try:
            self.read(LIST)
        except (CommandFailedError, CommandsBusyError) as error:
            logger.warning("The promotion log cannot be read: %s", error)
            self._moves_read_at = monotonic()  # not again at once

    def _remember(self, catalogue: dict[str, Any]) -> None:
        try:
            self._moves = _MOVES.validate_python(catalogue.get("log"))
        except ValidationError:
            logger.warning("The promotion log was read, but it is not of the expected form")
        self._moves_read_at = monotonic()

    @contextmanager
    def _in_turn(self, patience: float) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise CommandsBusyError("too many requests wait for the model registry")
        try:
            if not self._turn.acquire(timeout=patience):
                raise CommandsBusyError("another request still uses the model registry")
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._waiting.release()

    def _run(self, command: RunPyCommand, *words: str) -> dict[str, Any]:
        if self._stop.is_set():
            raise CommandsBusyError("the service ends")
        report, log = self.folder.command_report, self.folder.command_log
        try:
            report.unlink(missing_ok=True)
            code = command.start(report, log, *words).wait(self._stop, self.limit)
            if code:
                raise CommandFailedError(last_error(log, code))
            found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        except StoppedError:
            raise CommandsBusyError("the service ends") from None
        except OverdueError:
            raise CommandFailedError(
                f"the command about models took longer than {self.limit:g} s, so it was ended"
            ) from None
        except (OSError, ValueError) as error:
            logger.error("A command about models left no result: %s", error)
            raise CommandFailedError("the command about models left no result; the service's log says why") from error
        return found
