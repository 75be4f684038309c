"""A Bento as a process of its own: started, asked, killed."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from state.environment import QUIET
from tests.system.workspace import free_port, wait_for

PASSWORD = "violet-Umbrella-42"
LISTING = {"designation": "Piscine gonflable ronde", "description": "avec pompe"}


@dataclass
class Server:
    """`bentoml serve` in a folder of its own, with nothing exported that it does not need."""

    folder: Path
    tag: str
    bentoml_home: Path
    variables: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    @property
    def state(self) -> Path:
        return self.folder / ".state"

    def begin(self) -> "subprocess.Popen[bytes]":
        unset = ("STATE_DIR", "ZENML_CONFIG_PATH", "MODEL_DIR", "DATABASE_URL", "PROMETHEUS_MULTIPROC_DIR", *QUIET)
        kept = {key: value for key, value in os.environ.items() if key not in unset}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).parent / "bentoml"), "serve", self.tag, "--port", str(self.port)],
                cwd=self.directory or self.folder, stdout=log, stderr=log, start_new_session=True,
                env={**kept, "BENTOML_HOME": str(self.bentoml_home), **self.variables},
            )  # fmt: skip
        return self.process

    def start(self) -> "Server":
        self.begin()
        wait_for(f"{self.tag} is ready", self.ready)
        return self

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def workers(self) -> list[psutil.Process]:
        assert self.process is not None
        return [child for child in psutil.Process(self.process.pid).children(recursive=True) if _is_worker(child)]

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        family = self.family()
        if how == signal.SIGKILL:
            for member in family:
                member.kill()
        elif self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(60)
        _, left = psutil.wait_procs(family, timeout=30)
        for member in left:
            member.kill()

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            head = psutil.Process(self.process.pid)
            return [head, *head.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def first_password(self) -> str:
        found = re.search(r"was created with the password  (\S+)", self.log.read_text())
        assert found, self.log.read_text()
        return found[1]

    def client(self, username: str = "admin", password: str | None = None) -> httpx.Client:
        secret = password or self.variables.get("ADMIN_PASSWORD") or (self.state / "admin-password").read_text().strip()
        answer = httpx.post(f"{self.url}/login", data={"username": username, "password": secret}, timeout=10)
        token = answer.raise_for_status().json()["access_token"]
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "_bentoml_impl.worker.service" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


@contextmanager
def served(server: Server) -> Iterator[Server]:
    try:
        yield server.start()
    finally:
        server.stop()


@dataclass
class Load:
    """Threads that predict without a pause, and write down what was acknowledged."""

    server: Server
    threads: int = 4
    acknowledged: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    _running: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        headers = dict(self.server.client().headers)
        for _ in range(self.threads):
            thread = threading.Thread(target=self._ask, args=(headers,), daemon=True)
            thread.start()
            self._running.append(thread)
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        for thread in self._running:
            thread.join(30)

    def _ask(self, headers: dict[str, str]) -> None:
        with httpx.Client(base_url=self.server.url, headers=headers, timeout=10) as client:
            while not self._ended.is_set():
                try:
                    answer = client.post("/predict", json=LISTING)
                except httpx.HTTPError:
                    self._ended.wait(0.05)
                    continue
                self.statuses.add(answer.status_code)
                if answer.status_code == 200:
                    self.acknowledged.append(answer.json()["prediction_id"])
