"""`run.py watch` as a process: real retrainings, signals, kills."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from state.processes import has_ended
from tests.monitoring.watching import alert, webhook
from tests.system.workspace import LIMIT, ROOT, Workspace, free_port, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@dataclass
class Watcher:
    """The service as a process, and how it is asked."""

    workspace: Workspace
    process: "subprocess.Popen[str]"
    url: str

    def token(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.workspace.state / f'{name}-token').read_text().strip()}"}

    def healthy(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        try:
            return httpx.get(f"{self.url}/health", timeout=LIMIT).status_code == 200
        except httpx.HTTPError:
            return False

    def send(self, **of: str) -> str:
        answer = httpx.post(f"{self.url}/alerts", json=webhook(alert(**of)), headers=self.token("alert"), timeout=LIMIT)
        assert answer.status_code == 202, answer.text
        decision: str = answer.json()["decisions"][0]["decision"]
        return decision

    def retrainings(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/decisions", headers=self.token("reports"), timeout=LIMIT)
        retrainings: list[dict[str, Any]] = answer.json()["retrainings"]
        return retrainings

    def training(self) -> psutil.Process:
        """The retraining's process, once there is one."""
        wait_for("a retraining runs", lambda: bool(self._trainings()))
        return self._trainings()[0]

    def _trainings(self) -> list[psutil.Process]:
        return [child for child in psutil.Process(self.process.pid).children() if _trains(child)]


def _trains(process: psutil.Process) -> bool:
    try:
        return "train" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


@contextmanager
def watching(workspace: Workspace, *options: str) -> Iterator[Watcher]:
    port = free_port()
    process = workspace.start("watch", "--port", str(port), "--every", "1d", *options, "--", "--size", "1000")
    watcher = Watcher(workspace, process, f"http://127.0.0.1:{port}")
    try:
        wait_for("the service answers", watcher.healthy)
        yield watcher
    finally:
        process.kill()
        process.communicate()


def test_a_retraining_ends_with_the_service_is_known_to_the_next_one_and_a_new_alert_retrains(
    workspace: Workspace,
) -> None:
    with watching(workspace) as watcher:  # it is ended by a signal
        for name in ("metrics-token", "alert-token", "reports-token"):
            assert (workspace.state / name).stat().st_mode & 0o777 == 0o600
        assert httpx.get(watcher.url, timeout=LIMIT).status_code == 401
        assert watcher.send() == "started"
        assert watcher.retrainings()[0]["outcome"] == "under way", "Alertmanager had to wait for its end"
        family = [watcher.training(), *psutil.Process(watcher.process.pid).children(recursive=True)]
        watcher.process.send_signal(signal.SIGTERM)
        output, errors = watcher.process.communicate(timeout=LIMIT)
        assert watcher.process.returncode == 0, errors
        assert all(has_ended(member) for member in family)
        assert "retrains: as a process here, 'run.py train'" in output
        assert "Traceback" not in errors

    with watching(workspace, "--cool-down", "0s") as watcher:  # it is killed
        (interrupted,) = watcher.retrainings()
        assert interrupted["outcome"] == "failed"
        assert interrupted["reason"].startswith("interrupted")
        assert watcher.send() == "started", "the interrupted one is tried again"
        training = watcher.training()
        wait_for("its start is stored", lambda: training.pid in stored_process_ids(workspace))
        training.suspend()  # so that it does not end before the next start looks
        watcher.process.kill()
        watcher.process.wait()
        assert training.is_running(), "the next start ends it"

    with watching(workspace, "--cool-down", "0s", "--daily-budget", "3") as watcher:
        wait_for("the end of the killed one is told", lambda: watcher.retrainings()[0]["outcome"] == "failed")
        assert has_ended(training)
        assert watcher.send() == "started"
        wait_for("the retraining has ended", lambda: watcher.retrainings()[0]["outcome"] != "under way")
        done = watcher.retrainings()[0]
        assert (done["outcome"], done["model_version"]) == ("promoted", "1"), done
        log = httpx.get(f"{watcher.url}/reports/{done['log']}", headers=watcher.token("reports"), timeout=LIMIT)
        assert "promote_classifier" in log.text
        assert watcher.send() == "duplicate"
        assert watcher.send(fingerprint="dd") == "over_budget"
        watcher.process.send_signal(signal.SIGINT)
        watcher.process.communicate(timeout=LIMIT)
        assert watcher.process.returncode == 0
    assert not workspace.attempts.exists(), workspace.attempts.read_text()


WITHOUT_SQLALCHEMY = """
import sys
sys.modules["sqlalchemy"] = None
import run
sys.exit(run.main(sys.argv[1:]))
"""


def test_the_service_starts_and_answers_where_sqlalchemy_cannot_be_imported(workspace: Workspace) -> None:
    port = free_port()
    options = ("--port", str(port), "--every", "1d", "--daily-budget", "0")
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_SQLALCHEMY, "watch", *options],
        cwd=ROOT, env=workspace.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    watcher = Watcher(workspace, process, f"http://127.0.0.1:{port}")
    try:
        wait_for("the service answers", watcher.healthy)
        assert watcher.send(action="page") == "ignored"
        assert httpx.get(watcher.url, headers=watcher.token("reports"), timeout=LIMIT).status_code == 200
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, errors


def test_wrong_options_are_errors_with_a_sentence(workspace: Workspace) -> None:
    for options, code, sentence in (
        (["--every", "soon"], 1, "--every takes a number and a unit"),
        (["--port", "99999"], 1, "127.0.0.1:99999 cannot be listened on"),
        (["--", "--size", "many"], 2, "argument --size: invalid int value: 'many'"),
        (["--", "--sise", "400"], 2, "unrecognized arguments: --sise 400"),
    ):
        done = workspace.run("watch", *options)
        assert (done.returncode, sentence in done.stderr, "Traceback" in done.stderr) == (code, True, False), done


def stored_process_ids(workspace: Workspace) -> list[int]:
    """Return the process ids of the retrainings in the journal, from a copy, since the service holds the file."""
    folder = workspace.state / "monitoring"
    copy = workspace.folder / "copy.db"
    shutil.copy(folder / "journal.db", copy)
    with closing(sqlite3.connect(copy)) as connection:
        return [row[0] for row in connection.execute("SELECT pid FROM retraining_start")]
