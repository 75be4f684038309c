"""`run.py watch` beside `run.py serve`: admins see versions, roll back and retrain with their own tokens."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands.test_why import replace_version
from tests.monitoring.test_watch_process import Watcher, watching
from tests.system.snapshots import Snapshot
from tests.system.workspace import LIMIT, Workspace, free_port, wait_for

pytestmark = pytest.mark.system

PASSWORD = "violet-Umbrella-42"
REASON = {"reason": "worse on toys"}


@contextmanager
def serving(workspace: Workspace, port: int) -> Iterator[str]:
    """Run the prediction service and yield its address."""
    process = workspace.start("serve", "--port", str(port))
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, process.communicate()
        try:
            return httpx.get(f"{address}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_for("the service answers", answers)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class Asking:
    """A user of the service, who asks the monitor service with the token of a login."""

    def __init__(self, service: str, watcher: Watcher, username: str, password: str) -> None:
        answer = httpx.post(f"{service}/login", data={"username": username, "password": password}, timeout=LIMIT)
        self.headers = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
        self.monitor = httpx.Client(base_url=watcher.url, headers=self.headers, timeout=LIMIT)

    def read(self, path: str) -> Any:
        return self.monitor.get(path).raise_for_status().json()


def test_an_admin_sees_the_versions_rolls_back_and_retrains_and_a_user_may_not(
    one_version: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    workspace = Workspace(tmp_path, variables={"SERVICE_URL": f"http://127.0.0.1:{port}"})
    one_version.copied_to(workspace)
    with serving(workspace, port) as service, watching(workspace, "--cool-down", "0s") as watcher:
        admin = Asking(service, watcher, "admin", (workspace.state / "admin-password").read_text().strip())
        new = {"username": "ulf", "password": PASSWORD, "role": "user"}
        assert httpx.post(f"{service}/users", json=new, headers=admin.headers, timeout=LIMIT).status_code == 201
        user = Asking(service, watcher, "ulf", PASSWORD)
        refused = [user.monitor.get("/models"), user.monitor.post("/retrain", json=REASON), user.monitor.get("/")]
        assert [answer.status_code for answer in refused] == [403, 403, 403]

        first = admin.monitor.post("/rollback", json=REASON)
        assert (first.status_code, "is the first of model" in first.json()["detail"]) == (409, True)
        replace_version(workspace, "rakuten-embedded", monkeypatch)
        moved = admin.monitor.post("/rollback", json=REASON)
        assert (moved.status_code, moved.json()) == (200, {"left": "2", "now": "1", "skipped": []})
        models = admin.read("/models")
        assert (models["production"], [version["version"] for version in models["versions"]]) == ("1", ["2", "1"])
        assert [(move["action"], move["by"]) for move in models["log"]] == [
            ("rollback", "admin"), ("promotion", None), ("promotion", None),
        ]  # fmt: skip
        assert models["versions"][1]["scores"]["weighted_f1"]["value"] == one_version.outcome["weighted_f1"]
        shown = admin.read("/models/1")
        assert len(shown["by_type"]) > 20
        assert shown["card"].startswith("# ")
        assert shown["lineage"]["missing"] == []
        rollbacks = [event for event in admin.read("/timeline") if event["kind"] == "rollback"]
        assert [event["text"] for event in rollbacks] == [
            "Back to version 1 (before: version 2), asked for by admin: worse on toys"
        ]

        started = admin.monitor.post("/retrain", json=REASON)
        assert started.status_code == 202, started.text
        assert admin.monitor.post("/retrain", json=REASON).status_code == 409
        assert watcher.send() == "already_running"
        wait_for("the retraining has ended", lambda: admin.read("/retraining")["running"] is None)
        state = admin.read("/retraining")
        assert (state["last"]["retraining"], state["last"]["asked_by"]) == (started.json()["retraining"], "admin")
        assert state["last"]["outcome"] in ("promoted", "refused"), state
        assert state["left_today"] == 2
    assert not workspace.attempts.exists(), workspace.attempts.read_text()
