"""A started monitor service for tests, and the users whom it asks about."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from monitoring.authentication import Tokens
from monitoring.decisions import Rules
from monitoring.journal import Journal
from monitoring.local_trainer import LocalTrainer
from monitoring.loop import Schedule
from monitoring.models import Models
from monitoring.report_folder import ReportFolder
from monitoring.run_py import RunPyCommand
from monitoring.service import MonitorService
from monitoring.users import Users
from tests.monitoring.watching import python, webhook

TOKENS = Tokens(metrics="m" * 40, alerts="a" * 40, reports="r" * 40)
ALERTS, METRICS, READING = ({"Authorization": f"Bearer {token * 40}"} for token in "amr")
ROLES = {"ada": "admin", "rita": "reviewer", "ulf": "user", "sim": "simulator"}


def as_(username: str) -> dict[str, str]:
    """The header of a user, whose token has the form of a JWT."""
    return {"Authorization": f"Bearer {username}.of.tests"}


@dataclass
class UserService:
    """`GET /me` of a small real service: it knows the users of `ROLES`, and remembers what it was asked."""

    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        name = request.headers["authorization"].removeprefix("Bearer ").partition(".")[0]
        self.asked.append(f"{request.method} {request.url.path} {name}")
        status = self.status if self.status != 200 or name in ROLES else 401
        content = {"id": f"id-{name}", "username": name, "role": ROLES.get(name)} if status == 200 else {}
        await JSONResponse(content, status)(scope, receive, send)


# In the place of `run.py models` and `run.py rollback`: remembers its words and answers as they do.
_COMMANDS = """
import json, pathlib, sys
words, report = sys.argv[1:-2], pathlib.Path(sys.argv[-1])
with report.with_name("commands.txt").open("a") as calls:
    calls.write(" ".join(words) + chr(10))
failure = report.with_name("failure.txt")
if failure.exists():
    sys.exit("Traceback (most recent call last): …" + chr(10) + "error: " + failure.read_text())
move = {"id": "e1", "at": "2026-03-04T11:00:00Z", "action": "promotion", "version": "2", "left": "1", "by": None}
answers = {
    "list": {"model": "shop", "versions": [{"version": "2"}, {"version": "1"}], "log": [{**move, "reason": "better"}]},
    "show": {"version": words[-1], "card": "# Card"},
    "compare": {"first": words[-2] if len(words) > 2 else "", "second": words[-1], "overall": {}},
    "rollback": {"left": "2", "now": "1", "skipped": [], "entry": "e2"},
}
report.write_text(json.dumps(answers[words[0] if words[0] != "--" else "list"]))
"""


class Service:
    """A started service on a folder, and a client of it."""

    def __init__(self, folder: Path, training: list[str], monitoring: list[str], every: float, users: str) -> None:
        self.folder = folder
        reports = ReportFolder(folder)
        self.journal = Journal(reports.journal)
        lock = threading.Lock()
        trainer = LocalTrainer(RunPyCommand(training, folder), reports, lock, self.journal)
        schedule = Schedule(RunPyCommand(monitoring, folder), timedelta(seconds=every), lock)
        models, rollback = (RunPyCommand(python(_COMMANDS, *verb), folder) for verb in ([], ["rollback"]))
        self.models = Models(models, rollback, reports)
        self.monitor = MonitorService(
            self.journal, trainer, schedule, TOKENS, Rules(), folder=reports, users=Users(users), models=self.models
        )
        self.client = TestClient(self.monitor.gate, raise_server_exceptions=False)
        self.monitor.start()

    def send(self, *alerts: dict[str, Any]) -> list[str]:
        answer = self.client.post("/alerts", json=webhook(*alerts), headers=ALERTS)
        assert answer.status_code == 202, answer.text
        return [entry["decision"] for entry in answer.json()["decisions"]]

    def read(self, path: str) -> httpx.Response:
        return self.client.get(path, headers=READING)

    def metrics(self) -> str:
        return self.client.get("/metrics", headers=METRICS).text

    def ask(self, method: str, path: str, username: str, **content: Any) -> httpx.Response:
        """Send a request with the token of a user."""
        answer: httpx.Response = self.client.request(method, path, headers=as_(username), **content)
        return answer

    @property
    def commands(self) -> list[str]:
        """The words of the commands that were run about models."""
        calls = self.folder / "commands.txt"
        return calls.read_text().splitlines() if calls.exists() else []


Start = Callable[..., Service]
