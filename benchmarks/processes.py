"""Services as whole processes on loopback: start them, measure them, and end them with all their children."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from time import monotonic, sleep
from types import FrameType
from typing import Any
from uuid import uuid4

import httpx
import psutil

from state.processes import Ending, end_process_tree

ROOT = Path(__file__).resolve().parents[1]
_START_LIMIT = 90  # seconds until a service must be ready
# The signal is repeated, since BentoML's supervisor drops one that arrives while it checks its workers.
_ENDING = Ending(signal.SIGTERM, patience=20, repeat=3)
_POLL = 0.02  # seconds between two checks
# What a child inherits of this environment. A service that the user runs has settings there, such as its database.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MARK = "PRODUCT_TYPES_BENCHMARK"


class ServiceError(RuntimeError):
    """A process failed, or did not do what it was started for."""


@dataclass(frozen=True)
class Memory:
    """MiB of a worker: resident (`rss`), not shared (`uss`); and the memory that is not shared of all processes."""

    rss: float
    uss: float
    all_uss: float


@dataclass(frozen=True)
class Service:
    """How to start a service. `{port}` in the command is replaced by a free port; it runs and logs in `folder`."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    workers: int = 1
    worker_mark: str = ""  # text in the command line of its workers, and of no other process

    @contextmanager
    def running(self) -> "Iterator[Running]":
        """Start the service, wait until it is ready, and always end it. Raises `ServiceError`."""
        port = free_port()
        command = [part.format(port=port) for part in self.command]
        begun = monotonic()
        with process(command, self.folder, self.environment, cwd=self.folder) as (started, log):
            service = Running(self, started, f"http://127.0.0.1:{port}")
            with closing(service.client):
                while not service.ready():
                    if (code := started.poll()) is not None:
                        raise ServiceError(f"{self.name} ended with exit code {code}:\n{tail(log)}")
                    if monotonic() - begun > _START_LIMIT:
                        raise ServiceError(f"{self.name} was not ready within {_START_LIMIT} s:\n{tail(log)}")
                    sleep(_POLL)
                service.seconds_to_ready = monotonic() - begun
                yield service


@dataclass
class Running:
    """A running service."""

    service: Service
    process: "subprocess.Popen[bytes]"
    address: str
    seconds_to_ready: float = 0.0
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.address, timeout=60, trust_env=False)  # without a proxy

    def ready(self) -> bool:
        """Return whether it accepts requests."""
        with suppress(httpx.TransportError):
            return self.client.get("/readyz").status_code == 200
        return False

    def log_in(self, username: str, password: str) -> str:
        """Return a token. Raises `ServiceError` when the service returns none."""
        answer = self.client.post("/login", data={"username": username, "password": password})
        if answer.status_code != 200 or "access_token" not in answer.json():
            raise ServiceError(f"{self.service.name}: POST /login answered {answer.status_code}: {answer.text[:300]}")
        return str(answer.json()["access_token"])

    def ask(self, path: str, body: object, token: str) -> Any:
        """Return the answer to one request. Raises `ServiceError` when its status is not 200."""
        answer = self.client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 200:
            raise ServiceError(f"{self.service.name}: POST {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    def workers(self) -> list[psutil.Process]:
        """Return its workers. Raises `ServiceError` when their number is wrong."""
        mark = self.service.worker_mark
        found = [member for member in self._family() if mark in " ".join(member.cmdline())]
        if len(found) != self.service.workers:
            raise ServiceError(f"{self.service.name} has {len(found)} workers and should have {self.service.workers}")
        return found

    def memory(self) -> Memory:
        """Return the memory that it uses; for a worker, the mean of all workers."""
        used = {member.pid: member.memory_full_info() for member in self._family()}
        rss, uss = (fmean(getattr(used[worker.pid], key) for worker in self.workers()) for key in ("rss", "uss"))
        return Memory(rss / 2**20, uss / 2**20, sum(member.uss for member in used.values()) / 2**20)

    def _family(self) -> list[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]


def interrupt_on_signals() -> None:
    """Let every request to end this process raise `KeyboardInterrupt`, so that it ends what it has started."""
    for number in _ENDING_SIGNALS:
        signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in _ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # further signals are ignored while the processes are ended
    raise KeyboardInterrupt


@contextmanager
def process(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], cwd: Path = ROOT, *, talks: bool = False
) -> "Iterator[tuple[subprocess.Popen[bytes], Path]]":
    """Start a command that logs into a file of the folder. At the end of the block, end it and all its children.

    `talks`: its standard input and output are pipes to this process, and only its errors go into the log.
    """
    log = folder / "log.txt"
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    mark = uuid4().hex
    try:
        with log.open("ab") as output:
            # In a session of its own: Ctrl-C reaches only this benchmark, which then ends everything in order.
            started = subprocess.Popen(
                command, cwd=cwd, env={**kept, **environment, _MARK: mark},
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            yield started, log
        finally:
            if started.poll() is None:
                end_process_tree(psutil.Process(started.pid), _ENDING)
            started.communicate()
    finally:
        _kill_marked(mark)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a command of this checkout to its end. Raises `ServiceError` with the end of its output when it fails."""
    with process(command, folder, environment) as (started, log):
        if started.wait():
            raise ServiceError(f"{' '.join(command)} failed:\n{tail(log)}")


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail(log: Path) -> str:
    """Return the end of a log."""
    return log.read_bytes()[-3_000:].decode(errors="replace").strip()


def _kill_marked(mark: str) -> None:
    """Kill the remaining processes of a command.

    They may have sessions of their own, and their parent may have ended: the mark in their environment identifies them.
    """
    left = []
    for candidate in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if candidate.environ().get(_MARK) == mark:
                candidate.kill()
                left.append(candidate)
    psutil.wait_procs(left, timeout=5)
