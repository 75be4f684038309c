"""One release as a running service: its workers, started, replaced and ended."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic

from bento.metrics_folder import metrics_folder
from commands.listening import reachable
from commands.serve.release import Release
from commands.serve.sockets import renewed
from commands.serve.worker import Deployment, ServiceError, Worker

_START_LIMIT = 60  # seconds until all workers must be ready
_TICK = 0.1  # seconds between two looks at the workers


@dataclass(frozen=True)
class Place:
    """Where a service listens, with how many workers, and the state that it works on.

    `sockets` are replaced by others when a worker has to be, unless they are `inherited`: systemd has a copy of
    these.
    """

    state: Path
    host: str
    port: int
    workers: int
    sockets: list[socket.socket] = field(default_factory=list)
    inherited: bool = False

    @property
    def address(self) -> str:
        """The address at which this machine reaches the service."""
        return f"http://{reachable(self.host)}:{self.port}"


class Service:
    """The workers of a release, which take connections from the sockets of a place."""

    def __init__(self, release: Release, place: Place) -> None:
        """Prepare what comes before the workers, and start them. Raises `ServiceError`."""
        self.release = release
        self._place = place
        environment = {**os.environ, "STATE_DIR": str(place.state), "METRICS_DIR": str(metrics_folder(place.state))}
        self._deployment = Deployment.prepare(release, environment)
        self._workers = [self._start(number) for number in range(place.workers)]

    def _start(self, number: int) -> Worker:
        listener = self._place.sockets[number % len(self._place.sockets)]
        return Worker(self.release, self._deployment, listener, number)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers."""
        return [worker.pid for worker in self._workers]

    def wait_until_ready(self, ended: Event, meanwhile: Callable[[], object]) -> None:
        """Return when all workers take requests, or when `ended` is set. `meanwhile` is called again and again.

        Raises `ServiceError` when one of them does not start.
        """
        deadline = monotonic() + _START_LIMIT
        while not all(worker.model for worker in self._workers) and not ended.wait(_TICK):
            meanwhile()
            for worker in self._workers:
                worker.listen()
                if worker.exit_code is not None:
                    raise ServiceError(f"{self.release.tag} ended with exit code {worker.exit_code} while it started")
            if monotonic() > deadline:
                raise ServiceError(f"{self.release.tag} was not ready within {_START_LIMIT} s")
        for model in {worker.model for worker in self._workers if worker.model}:
            if not self.release.tag.startswith(f"{model}-"):
                raise ServiceError(f"{self.release.tag} has the model {model}, which is another one")

    @property
    def is_complete(self) -> bool:
        """Whether all workers take requests."""
        return all(worker.model and worker.exit_code is None for worker in self._workers)

    @property
    def answers(self) -> bool:
        """Whether a worker runs."""
        return any(worker.exit_code is None for worker in self._workers)

    def replace_ended(self, *, renew: bool) -> int:
        """Start a new worker for each that has ended, and return how many. Raises `ServiceError`.

        `renew`: on sockets of their own. Without it they take those of the ones that have ended, as they must while
        another service starts on these.
        """
        replaced = 0
        for number, worker in enumerate(self._workers):
            worker.listen()
            if worker.exit_code is not None:
                worker.close()
                if renew and self._can_renew:
                    self._place.sockets[number] = renewed(self._place.sockets[number])
                self._workers[number] = self._start(number)
                replaced += 1
        return replaced

    @property
    def _can_renew(self) -> bool:
        """Whether a socket may stop listening: each worker has its own, and another one takes requests."""
        takes_requests = any(worker.model and worker.exit_code is None for worker in self._workers)
        own = not self._place.inherited and len(self._place.sockets) == len(self._workers)
        return own and takes_requests

    def leave(self) -> None:
        """Ask the workers to end in their own time: others take the new connections. See `has_left`."""
        for worker in self._workers:
            worker.leave()

    def has_left(self) -> bool:
        """Whether all workers have ended. Those that take too long are killed."""
        for worker in self._workers:
            worker.listen()
        return all(worker.exit_code is not None for worker in self._workers)

    def ask_to_end(self) -> None:
        """Ask the workers to answer the requests in flight and to end."""
        for worker in self._workers:
            worker.end()

    def end(self) -> None:
        """Let the workers answer the requests in flight, and return when they have ended."""
        self.ask_to_end()
        pause = Event()
        while not self.has_left():
            pause.wait(_TICK)
        for worker in self._workers:
            worker.close()
