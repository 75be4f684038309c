"""Whole processes, started as a user starts them."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from time import monotonic, sleep

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 600  # seconds: no busy machine needs them, so whatever takes longer hangs
# ZenML's dashboard opens no browser, and its command waits longer for it than the usual minute.
DASHBOARD = {"ZENML_AUTO_OPEN_DASHBOARD": "false", "ZENML_DAEMON_SERVER_TIMEOUT": str(LIMIT)}
_PORTS = range(20_000, 32_000)  # below those that the kernel gives to outgoing connections
_NO_NETWORK = """
import os, socket
_connect, _connect_ex, _resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
def _allowed(address):
    host = str(address[0]) if isinstance(address, tuple) else "localhost"
    inside = host in ("localhost", "::1", "") or host.startswith("127.")
    if not inside:
        with open(os.environ["ATTEMPTS"], "a") as log:
            log.write(f"{address}\\n")
    return inside
def connect(self, address):
    if not _allowed(address):
        raise OSError("outgoing connections are blocked in this test")
    return _connect(self, address)
def connect_ex(self, address):
    return _connect_ex(self, address) if _allowed(address) else 111
def getaddrinfo(host, *rest, **named):
    if host is not None and not _allowed((host.decode() if isinstance(host, bytes) else host,)):
        raise socket.gaierror("names are not resolved in this test")
    return _resolve(host, *rest, **named)
socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = connect, connect_ex, getaddrinfo
"""


@cache
def quicker() -> str:
    """Return code that saves short processes a tenth of their time, and changes nothing that they do.

    ZenML asks several times a run which package a module is of, and reads the metadata of all packages each time. And
    many garbage collections run while libraries are imported.
    """
    return f"""
import gc, importlib.metadata
importlib.metadata.packages_distributions = lambda: {dict(packages_distributions())!r}
gc.set_threshold(100_000, 50, 50)
"""


@dataclass(frozen=True)
class Workspace:
    """A state folder of its own, and run.py as a process on it."""

    folder: Path
    source: Path = ROOT
    called_from: Path | None = None  # the working folder; None: that of the source
    variables: Mapping[str, str] = field(default_factory=dict)  # more of the environment

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def attempts(self) -> Path:
        """Where blocked connections are written down."""
        return self.folder / "attempts.log"

    def environment(self) -> dict[str, str]:
        moved = {
            "STATE_DIR": str(self.state),
            "ZENML_CONFIG_PATH": str(self.state / "zenml"),
            "BENTOML_HOME": str(self.state / "bentoml"),
            **without_network(self.folder, self.attempts, quicker()),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": "160",
            **self.variables,
        }
        return {**os.environ, **moved}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(self.source / "run.py"), *arguments],
            cwd=self.called_from or self.source, env=self.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=_heed_ctrl_c,
        )  # fmt: skip

    def run(self, *arguments: str, timeout: float = LIMIT) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(self.source / "run.py"), *arguments],
            cwd=self.called_from or self.source, env=self.environment(),
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip


def without_network(folder: Path, attempts: Path, more: str = "") -> dict[str, str]:
    """Variables under which Python processes reach loopback only, and write down what else they tried.

    `more`: other code that each of them runs first.
    """
    guard = folder / "guard"
    guard.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_text(_NO_NETWORK + more)
    return {"PYTHONPATH": str(guard), "ATTEMPTS": str(attempts)}


def _heed_ctrl_c() -> None:
    """As from a terminal: a test run in the background of a script inherits deaf ears."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens, and which no outgoing connection takes meanwhile."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(what: str, condition: Callable[[], bool], seconds: float = LIMIT) -> None:
    """Wait until a callable is true; fail naming what did not happen."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        if condition():
            return
        sleep(0.2)
    pytest.fail(f"{what}: not within {seconds} s")
