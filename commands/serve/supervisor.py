"""Keeps one release served, and follows the registry. A fault of the registry never ends the service."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from commands.serve.release import RefusedError, Release, next_release, prepare
from commands.serve.service import Place, Service, ServiceError, try_out
from terminal.console import console
from terminal.errors import CommandError, in_a_line

if TYPE_CHECKING:
    from tracking.registry import RegisteredVersion

_TICK = 0.2  # seconds between two looks at the process
_SILENT = 12  # rounds without an answer after which a service is restarted
_REPLACED = 6  # workers that may be replaced until it is restarted
_STEADY = 12  # quiet rounds after which what was counted is forgotten
_RESTARTS = 3  # at most, until it has been steady again


@dataclass
class Pulse:
    """What the rounds have shown of a service: whether it answers, and whether its workers end again and again."""

    silent: int = 0
    replaced: int = 0
    quiet: int = 0
    _workers: frozenset[int] = frozenset()

    def feel(self, *, alive: bool, workers: frozenset[int]) -> str:
        """Take one round into account, and return why the service has to be restarted; nothing while it has not."""
        new = len(workers - self._workers) if self._workers else 0
        self._workers = workers or self._workers
        self.silent = 0 if alive else self.silent + 1
        self.replaced += new
        self.quiet = self.quiet + 1 if alive and not new else 0
        if self.is_steady:
            self.replaced = 0
        if self.silent >= _SILENT:
            return f"has not answered {self.silent} times in a row"
        return "loses its workers again and again" if self.replaced >= _REPLACED else ""

    @property
    def is_steady(self) -> bool:
        """Whether nothing has happened for a while."""
        return self.quiet >= _STEADY


class Supervisor:
    """Serves one release after another at one place."""

    def __init__(self, name: str, place: Place, every: float, ended: Event) -> None:
        """`name`: of the model. `every`: seconds between two rounds. `ended` is set from outside, to end."""
        self._name = name
        self._place = place
        self._every = every
        self._ended = ended
        self._service: Service | None = None
        self._pulse = Pulse()
        self._restarts = 0
        self._refused: RegisteredVersion | None = None
        self._trouble = ""
        self._waiting = 0  # rounds since the registry was asked

    def run(self, release: Release) -> None:
        """Serve a release, and then what the registry has in production, until `ended` is set.

        Raises `CommandError` when nothing can be served any more.
        """
        question: Future[Release | None] | None = None
        next_round = monotonic() + self._every
        try:
            service = self._serve(release)
            while not self._ended.wait(_TICK):
                if service.exit_code is not None:
                    service = self._restart(service, f"ended with exit code {service.exit_code}")
                if question and question.done():
                    service = self._follow(service, question)
                    question = None
                if monotonic() >= next_round:
                    next_round = monotonic() + self._every
                    service = self._examine(service)
                    question = self._ask_again(service, question)
        finally:
            if self._service:
                self._service.end()

    def _serve(self, release: Release) -> Service:
        """Start a release at the place. Raises `ServiceError` when it does not become healthy."""
        self._pulse = Pulse()
        self._service = service = Service.start(release, self._place)
        service.wait_until_healthy(self._ended)
        if not self._ended.is_set():
            _say(f"Serving {release.tag} on {self._place.address}; Ctrl-C ends it.")
        return service

    def _examine(self, service: Service) -> Service:
        """Look at the service once, and restart it when it has not been well for a while."""
        reason = self._pulse.feel(alive=service.is_alive(), workers=service.workers)
        if self._pulse.is_steady:
            self._restarts = 0
        return self._restart(service, reason) if reason else service

    def _restart(self, service: Service, reason: str) -> Service:
        """Start the same release again, with its Bento put back. Raises `CommandError` when that does not help."""
        what = f"the service of {service.release.tag} {reason}"
        if self._restarts >= _RESTARTS:
            raise CommandError(f"{what}; {_RESTARTS} restarts have not helped")
        self._restarts += 1
        _say(f"T{what[1:]}: restarting it.")
        try:
            release = prepare(service.release.version)
        except Exception as error:  # the artifact store and its libraries raise what they like
            raise CommandError(f"{what}, and its Bento cannot be put back ({in_a_line(error)})") from error
        service.end()
        try:
            return self._serve(release)
        except ServiceError as error:
            raise CommandError(f"{what}, and {error}") from error

    def _ask_again(self, service: Service, asked: "Future[Release | None] | None") -> "Future[Release | None]":
        """Ask for what is to be served next, in the background: a registry that hangs holds up nothing here."""
        if asked is None:
            self._waiting = 0
            return _in_background(lambda: next_release(self._name, service.release, self._refused))
        self._waiting += 1
        if self._waiting >= _SILENT:
            self._complain("The registry or the artifact store does not answer")
        return asked

    def _follow(self, service: Service, question: "Future[Release | None]") -> Service:
        """Serve what the registry asks for. Whatever it answers, or fails with, something is served afterwards."""
        error = question.exception()
        if isinstance(error, RefusedError):
            self._refuse(error.version, str(error), service.release)
        elif error:
            self._complain(f"The registry or the artifact store cannot be read ({in_a_line(error)})")
        else:
            if self._trouble:
                _say("The registry can be read again.")
            self._trouble = ""
            release = question.result()
            if release is service.release:
                self._refused = None  # it was taken back: if it is promoted again, it is tried again
            elif release:
                return self._replace(service, release)
        return service

    def _replace(self, service: Service, release: Release) -> Service:
        """Serve another release instead, which has first shown that it starts."""
        number = release.version.number
        _say(f"Version {number} is in production now: starting it once on a spare port, before the old one goes.")
        try:
            try_out(release, self._place, self._ended)
        except ServiceError as error:
            self._refuse(release.version, str(error), service.release)
            return service
        if self._ended.is_set():
            return service
        service.end()
        try:
            return self._serve(release)
        except ServiceError as error:
            assert self._service
            self._service.end()
            self._refuse(release.version, str(error), service.release)
            return self._serve(service.release)

    def _refuse(self, version: "RegisteredVersion", why: str, served: Release) -> None:
        """Say once why a version is not served. It is tried again when its tags change, or another is in production."""
        self._refused = version
        _say(f"Version {version.number} is not served: {why}. Version {served.version.number} goes on being served.")

    def _complain(self, trouble: str) -> None:
        """Say once that something is wrong."""
        if trouble != self._trouble:
            self._trouble = trouble
            _say(f"{trouble}. The service goes on, and the next look is in {self._every:g} s.")


def _in_background(question: Callable[[], Release | None]) -> "Future[Release | None]":
    """Return the answer to come. The thread is left alone when this process ends before there is one."""
    future: Future[Release | None] = Future()

    def answer() -> None:
        try:
            future.set_result(question())
        except Exception as error:  # registry, artifact store and their libraries raise what they like
            future.set_exception(error)

    Thread(target=answer, name="a look at the registry", daemon=True).start()
    return future


def _say(sentence: str) -> None:
    console().print(sentence, soft_wrap=True)
