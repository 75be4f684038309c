"""`run.py serve` as a process of its own."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.system.workspace import LIMIT, Workspace, free_port, wait_for


def version_on(port: int) -> str | None:
    """Return the version that is served on a port of this machine, or None while nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=LIMIT) as response:
            version: str = json.load(response)["model_version"]
            return version
    except OSError:
        return None


def wait_for_line(process: Any, beginning: str) -> str:
    """Return what a process prints up to the first line with this beginning."""
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith(beginning):
            return printed
    pytest.fail(f"{beginning} was never printed: {process.stderr.read()}")


class Service:
    """The process and how it is asked."""

    def __init__(self, workspace: Workspace, *options: str) -> None:
        self.workspace = workspace
        self.port = free_port()
        self.process = workspace.start("serve", "--port", str(self.port), *options)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for_version(self, version: str) -> None:
        """Wait until this version is served. It fails at once when the process has ended."""
        wait_for(f"version {version} is served", lambda: self._runs() and version_on(self.port) == version)

    def _runs(self) -> bool:
        assert self.process.poll() is None, "\n".join(self.process.communicate())
        return True

    def token(self) -> str:
        """Return a token of the admin."""
        password = (self.workspace.state / "admin-password").read_text().strip()
        answer = httpx.post(f"{self.url}/login", data={"username": "admin", "password": password}, timeout=LIMIT)
        token: str = answer.json()["access_token"]
        return token

    def ask(self, listing: dict[str, str], token: str = "") -> httpx.Response:
        return httpx.post(f"{self.url}/predict", json=listing, headers={"token": token}, timeout=LIMIT)

    def children(self) -> list[str]:
        """Return the ids of the processes that it started."""
        command = ["ps", "-o", "pid=", "--ppid", str(self.process.pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.communicate(timeout=LIMIT)


@contextmanager
def serving(workspace: Workspace, *options: str) -> Iterator[Service]:
    """Serve the version in production of a workspace while the body runs."""
    service = Service(workspace, *options)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.end(signal.SIGTERM)
