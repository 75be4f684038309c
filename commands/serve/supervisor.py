"""Keeps one release served, and follows the registry. A fault of the registry never ends the service."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from commands.serve.release import RefusedError, Release, next_release, prepare
from commands.serve.service import Place, Service
from commands.serve.worker import ServiceError
from terminal.console import console
from terminal.errors import CommandError, in_a_line

if TYPE_CHECKING:
    from tracking.registry import RegisteredVersion

_TICK = 0.05  # seconds between two looks at the workers; connections to one that has ended wait for the next look
_REPLACED = 6  # workers that may be replaced until the Bento is put back and all start again
_STEADY = 60  # seconds without one, after which what was counted is forgotten
_HANGS = 12  # looks that were due while the registry has not answered one
_RESTARTS = 3  # at most, until it has been steady again


class Supervisor:
    """Serves one release after another at one place, on the same sockets: no connection is refused in between."""

    def __init__(self, name: str, place: Place, every: float, ended: Event) -> None:
        """`name`: of the model. `every`: seconds between two looks at the registry. `ended` is set from outside."""
        self._name = name
        self._place = place
        self._every = every
        self._ended = ended
        self._service: Service | None = None
        self._leaving: list[Service] = []
        self._replaced = 0
        self._complete = True  # whether all workers take requests
        self._restarts = 0
        self._last_replacement = 0.0
        self._refused: RegisteredVersion | None = None
        self._trouble = ""
        self._waiting = 0  # looks at the registry that were due since it was asked

    def run(self, release: Release) -> None:
        """Serve a release, and then what the registry has in production, until `ended` is set.

        Raises `CommandError` when nothing can be served any more.
        """
        question: Future[Release | None] | None = None
        next_look = monotonic() + self._every
        try:
            self._serve(release)
            self._report(None)
            while not self._ended.wait(_TICK):
                self._look_after_workers()
                if question and question.done():
                    self._follow(question)
                    question = None
                if monotonic() >= next_look:
                    next_look = monotonic() + self._every
                    question = self._ask_registry(question)
        finally:
            services = [*self._leaving, *([self._service] if self._service else [])]
            for service in services:
                service.ask_to_end()
            for service in services:
                service.end()

    @property
    def _served(self) -> Service:
        assert self._service
        return self._service

    def _serve(self, release: Release) -> None:
        """Start a release; when it takes requests, the one before takes no new ones, and ends in its own time.

        Raises `ServiceError` when it does not start. What was served is served on then.
        """
        service = Service(release, self._place)
        try:
            service.wait_until_ready(self._ended, lambda: self._look_after_workers(beside_another=True))
        except BaseException:
            service.end()
            raise
        if self._ended.is_set():
            self._leaving.append(service)
            return
        if self._service:
            self._service.leave()
            self._leaving.append(self._service)
        self._service = service
        self._replaced = 0
        self._complete = True
        _say(f"Serving {release.tag} on {self._place.address}; Ctrl-C ends it.")

    def _look_after_workers(self, *, beside_another: bool = False) -> None:
        """Replace the workers that have ended. Raises `CommandError` when they end again and again.

        `beside_another`: another service starts on the same sockets.
        """
        self._leaving = [service for service in self._leaving if not service.has_left()]
        if self._service is None:
            return
        try:
            replaced = self._service.replace_ended(renew=not beside_another)
        except ServiceError as error:  # the Bento has gone: the next look at the registry puts it back
            if not self._service.answers:
                self._restart("has lost all workers")
            else:
                self._complain(f"A worker cannot be replaced ({error})")
            return
        if replaced:
            self._replaced += replaced
            self._last_replacement = monotonic()
            self._complete = False
            _say(f"{replaced} of the workers of {self._service.release.tag} ended and will be replaced.")
        elif monotonic() - self._last_replacement > _STEADY:
            self._replaced = self._restarts = 0
        if not self._complete and self._service.is_complete:
            self._complete = True
            _say(f"All workers of {self._service.release.tag} take requests again.")
        if self._replaced >= _REPLACED:
            self._restart("loses its workers again and again")

    def _restart(self, reason: str) -> None:
        """Put the Bento back and start all workers again. Raises `CommandError` when that has not helped."""
        what = f"the service of {self._served.release.tag} {reason}"
        if self._restarts >= _RESTARTS:
            raise CommandError(f"{what}; {_RESTARTS} restarts have not helped")
        self._restarts += 1
        self._replaced = 0
        _say(f"T{what[1:]}: its Bento is put back, and it starts again.")
        try:
            self._serve(prepare(self._served.release.version))
        except Exception as error:  # the artifact store and its libraries raise what they like
            raise CommandError(f"{what}, and its Bento cannot be put back ({in_a_line(error)})") from error

    def _ask_registry(self, asked: "Future[Release | None] | None") -> "Future[Release | None]":
        """Ask for what is to be served next, in the background: a registry that hangs holds up nothing here."""
        if asked is None:
            self._waiting = 0
            served = self._served.release
            return _in_background(lambda: next_release(self._name, served, self._refused))
        self._waiting += 1
        if self._waiting >= _HANGS:
            self._complain("The registry or the artifact store does not answer")
        return asked

    def _follow(self, question: "Future[Release | None]") -> None:
        """Serve what the registry asks for. Whatever it answers, or fails with, something is served afterwards."""
        error = question.exception()
        if isinstance(error, RefusedError):
            self._refuse(error.version, str(error))
            return
        if error:
            self._complain(f"The registry or the artifact store cannot be read ({in_a_line(error)})")
            return
        if self._trouble:
            _say("The registry can be read again.")
            self._trouble = ""
        release = question.result()
        if release == self._served.release:
            if self._refused:
                self._refused = None  # it was taken back: if it is promoted again, it is tried again
                self._report(None)
        elif release:
            _say(f"Version {release.version.number} is in production now: starting it beside the one that is served.")
            try:
                self._serve(release)
            except ServiceError as failure:
                self._refuse(release.version, str(failure))
            else:
                self._refused = None
                self._report(None)

    def _refuse(self, version: "RegisteredVersion", why: str) -> None:
        """Say once why a version is not served. It is tried again when its tags change, or another is in production."""
        self._refused = version
        self._report(version.number)
        served = self._served.release.version.number
        _say(f"Version {version.number} is not served: {why}. Version {served} goes on being served.")

    def _report(self, refused: str | None) -> None:
        """Tell Prometheus which version is in production and not served; None: there is none."""
        from tracking.pushgateway import report_release

        report_release(self._name, refused)

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
