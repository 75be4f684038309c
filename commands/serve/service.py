"""One Bento as a running service: `bentoml serve` as a child process, and what is known about it."""

import json
import os
import random
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Self
from urllib.request import ProxyHandler, build_opener

import psutil

from commands.listening import listen, reachable
from commands.serve.release import Release
from monitoring.run_py import last_error
from state.files import write_atomically
from state.processes import (
    Child,
    Ending,
    descendants,
    end_all,
    end_process_tree,
    find_process,
    find_session,
    has_ended,
    listens,
)
from terminal.errors import CommandError

_START_LIMIT = 60  # seconds until a service must be healthy
_STOP_LIMIT = 30  # seconds for requests in flight to end
_REPEAT = 3  # seconds after which the signal to stop is sent again
_PROBE_LIMIT = 2  # seconds for an answer
_SPARE_PORTS = range(20_000, 32_000)  # below those that the kernel gives to outgoing connections
_LOOPBACK = "127.0.0.1"
# Repeated, since BentoML's supervisor drops a signal that arrives while it checks its workers.
_ENDING = Ending(signal.SIGTERM, patience=_STOP_LIMIT, repeat=_REPEAT)
# A proxy in the environment is for other machines: it would be asked for the address of its own machine.
_without_proxy = build_opener(ProxyHandler({}))


class ServiceError(CommandError):
    """A service did not start."""


@dataclass(frozen=True)
class Record:
    """Which process serves, so that a later `serve` finds it when this one was killed. Kept as a file."""

    pid: int
    created: float  # seconds since 1970
    tag: str

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return what a file says; None without a file that can be read."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(content["pid"]), float(content["created"]), str(content["tag"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @property
    def processes(self) -> list[psutil.Process]:
        """What still runs of it: the process, or its workers where it alone was killed."""
        found = find_process(self.pid, self.created)
        if found and not has_ended(found):
            return [found]
        return [each for each in find_session(self.pid, self.created) if _is_of_bentoml(each)]

    def end(self) -> None:
        """End what still runs of it."""
        for process in self.processes:
            end_process_tree(process, _ENDING)
        end_all(self.processes, _ENDING)


@dataclass(frozen=True)
class Place:
    """Where a service listens, and the state that it works on. `workers`: how many; None: as the environment says."""

    state: Path
    host: str
    port: int
    workers: int | None = None
    trial_of: int | None = None  # the port that it will have when it serves

    @property
    def name(self) -> str:
        """The name of its files in the state folder."""
        return f"serve-{self.trial_of}-trial" if self.trial_of else f"serve-{self.port}"

    @property
    def record(self) -> Path:
        """The file that says which process serves here."""
        return self.state / f"{self.name}.json"

    @property
    def address(self) -> str:
        """The address at which this machine reaches the service."""
        return f"http://{reachable(self.host)}:{self.port}"

    def trial(self) -> "Place":
        """Return a free port of this machine's loopback, for one worker, on the same state."""
        return Place(self.state, _LOOPBACK, _spare_port(), workers=1, trial_of=self.port)


class Service:
    """A service that this process has started."""

    def __init__(self, child: Child, release: Release, place: Place) -> None:
        self._child = child
        self.release = release
        self.place = place

    @classmethod
    def start(cls, release: Release, place: Place, log: Path | None = None) -> Self:
        """Start to serve a release, and record which process does. Its output goes to `log`, or to the terminal."""
        bentoml = str(Path(sys.prefix) / "bin" / "bentoml")
        command = [bentoml, "serve", release.tag, "--host", place.host, "--port", str(place.port)]
        environment = {**os.environ, "STATE_DIR": str(place.state)}
        if place.workers:
            environment["WORKERS"] = str(place.workers)
        child = Child.start(command, _ENDING, environment=environment, log=log)
        record = Record(child.pid, child.created, release.tag)
        write_atomically(place.record, json.dumps(asdict(record)))
        return cls(child, release, place)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process, or None while it runs."""
        return self._child.exit_code

    @property
    def workers(self) -> frozenset[int]:
        """The ids of the processes that it has started."""
        return frozenset(process.pid for process in descendants(self._child.pid))

    def is_healthy(self) -> bool:
        """Whether it is this service that answers here, and with this release."""
        if self.exit_code is not None or not listens(self._child.pid, self.place.port):
            return False
        health = _ask(f"{self.place.address}/health")
        named = f"{health.get('model_name')}:{health.get('model_version')}-"
        return self.release.tag.startswith(named)

    def is_alive(self) -> bool:
        """Whether it answers at all."""
        return self.exit_code is None and bool(_ask(f"{self.place.address}/livez"))

    def wait_until_healthy(self, ended: Event) -> None:
        """Return when it is healthy, or when `ended` is set. Raises `ServiceError` when it does not start."""
        deadline = monotonic() + _START_LIMIT
        while not self.is_healthy():
            if self.exit_code is not None:
                raise ServiceError(f"{self.release.tag} ended with exit code {self.exit_code} while it started")
            if monotonic() > deadline:
                where = self.place.address
                raise ServiceError(f"{self.release.tag} was not healthy on {where} within {_START_LIMIT} s")
            if ended.wait(0.2):
                return

    def end(self) -> None:
        """End the process with everything that it started."""
        self._child.end()
        self.place.record.unlink(missing_ok=True)


def try_out(release: Release, place: Place, ended: Event) -> None:
    """Start a release once, with one worker on a spare port, before it takes its place; and end it again.

    Raises `ServiceError` with the reason when it does not become healthy.
    """
    trial = place.trial()
    log = trial.state / f"{trial.name}.log"
    service = Service.start(release, trial, log)
    try:
        service.wait_until_healthy(ended)
    except ServiceError as error:
        reason = f": {last_error(log, service.exit_code)}" if service.exit_code is not None else ""
        raise ServiceError(f"{error}{reason} (the log is {log})") from error
    finally:
        service.end()


def left_behind(place: Place) -> Record | None:
    """Return the service that a `serve` on this port has left behind when it was killed. A trial is ended."""
    trial = Record.read(Place(place.state, place.host, place.port, trial_of=place.port).record)
    if trial:
        trial.end()
    record = Record.read(place.record)
    return record if record and record.processes else None


def _spare_port() -> int:
    while True:
        port = random.SystemRandom().choice(_SPARE_PORTS)
        try:
            listen(_LOOPBACK, port).close()
        except CommandError:
            continue
        return port


def _is_of_bentoml(process: psutil.Process) -> bool:
    try:
        return any("bentoml" in word for word in process.cmdline())
    except psutil.Error:
        return False


def _ask(address: str) -> dict[str, Any]:
    """Return the object that an address answers; an empty one when it does not."""
    try:
        with _without_proxy.open(address, timeout=_PROBE_LIMIT) as response:
            content = json.load(response)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
