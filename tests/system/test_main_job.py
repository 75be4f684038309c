"""The main job from a user's chair: one process after another on the same state."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.workspace import ROOT, Workspace, free_port, wait_for

pytestmark = pytest.mark.system
SIZE = "2000"


def trained(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """Run the main job, which must succeed, and return its JSON with what it printed under `printed`."""
    report = workspace.folder / "outcome.json"
    done = workspace.run(*arguments, "--json", str(report))
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(report.read_text())
    return outcome | {"printed": done.stdout}


def test_1_the_first_run_trains_promotes_and_packages_without_the_network(workspace: Workspace) -> None:
    outcome = trained(workspace, "--size", SIZE)
    assert outcome["promoted"] is True
    assert outcome["model_version"] == "1"
    assert outcome["bento_tag"].startswith("rakuten:1-")
    low, high = outcome["weighted_f1_interval"]
    assert 0.5 < low < outcome["weighted_f1"] < high < 1
    assert outcome["contract"] in ("ok", "warning")
    assert "Traceback" not in outcome["printed"]
    assert not workspace.attempts.exists(), workspace.attempts.read_text()


def test_2_a_repetition_changes_nothing(workspace: Workspace) -> None:
    outcome = trained(workspace, "--size", SIZE)
    assert outcome["promoted"] is False
    assert "same data and code as version 1" in outcome["reason"]
    assert outcome["model_version"] == "1"
    assert outcome["bento_tag"].startswith("rakuten:1-")
    for step in ("ingest_listings", "consolidate_listings", "train_classifier", "evaluate_classifier"):
        assert f"{step:<26} nothing changed" in outcome["printed"]


def test_3_an_edit_of_the_text_code_trains_again(workspace: Workspace) -> None:
    tree = workspace.folder / "edited"
    ignored = shutil.ignore_patterns(".venv", ".git", ".state", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, tree, ignore=ignored)
    with (tree / "catalog" / "text.py").open("a") as file:
        file.write("\n# an edit\n")
    outcome = trained(Workspace(workspace.folder, tree), "--size", SIZE)
    assert "train_classifier           nothing changed" not in outcome["printed"]
    assert "ingest_listings            nothing changed" in outcome["printed"]
    assert "same data and code" not in outcome["reason"]
    assert outcome["champion_weighted_f1"] == pytest.approx(outcome["weighted_f1"])
    assert outcome["promoted"] is False


def test_4_serving_follows_a_promotion_and_a_rollback(workspace: Workspace) -> None:
    port = free_port()
    service = workspace.start("serve", "--port", str(port), "--every", "1")
    try:
        wait_for("version 1 is served", lambda: served(port) == "1")
        listing = {"designation": "Piscine gonflable ronde", "description": "avec pompe"}
        assert ask(port, listing).status_code == 401
        password = (workspace.state / "admin-password").read_text().strip()
        login = httpx.post(f"http://127.0.0.1:{port}/login", data={"username": "admin", "password": password})
        answer = ask(port, listing, login.json()["access_token"])
        assert answer.status_code == 200
        assert set(answer.json()) >= {"predicted_class", "predicted_code", "confidence", "abstained", "model_version"}
        outcome = trained(workspace, "--size", "2600", "--new-baseline")
        assert outcome["promoted"] is True, outcome["reason"]
        wait_for("the promoted version is served", lambda: served(port) == outcome["model_version"])
        done = workspace.run("rollback", "--reason", "worse on toys")
        assert done.returncode == 0, done.stderr
        assert "worse on toys" in done.stdout
        wait_for("version 1 is served again", lambda: served(port) == "1")
        assert not workspace.attempts.exists(), workspace.attempts.read_text()
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(60)
    assert served(port) is None


def test_4b_a_service_that_is_interrupted_while_it_starts_leaves_nothing_behind(workspace: Workspace) -> None:
    service = workspace.start("serve", "--port", str(free_port()))
    wait_for("the service is being started", lambda: children(service.pid) != [])
    started = children(service.pid)
    service.send_signal(signal.SIGTERM)
    service.wait(60)
    wait_for("its processes ended", lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))


def children(pid: int) -> list[str]:
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout.split()


def test_5_a_rollback_is_not_undone_by_the_next_run_on_the_same_data(workspace: Workspace) -> None:
    outcome = trained(workspace, "--size", "2600")
    assert outcome["promoted"] is False
    assert outcome["model_version"] == "1"


def test_6_there_is_nothing_before_the_first_version(workspace: Workspace) -> None:
    done = workspace.run("rollback")
    assert done.returncode == 1
    assert "is the first of model 'rakuten' in production" in done.stderr
    assert "Traceback" not in done.stderr


def test_7_a_bento_that_is_gone_is_restored_from_its_artifact(workspace: Workspace) -> None:
    shutil.rmtree(workspace.state / "bentoml")
    port = free_port()
    service = workspace.start("serve", "--port", str(port))
    try:
        wait_for("version 1 is served", lambda: served(port) == "1")
    finally:
        service.send_signal(signal.SIGINT)
        service.wait(60)


def test_8_ctrl_c_leaves_with_130_and_the_next_run_works(workspace: Workspace) -> None:
    running = workspace.start("--size", "3000")
    wait_for_step(running, "consolidate_listings")
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in complaint
    assert trained(workspace, "--size", "3000")["model_version"]


def test_9_a_killed_run_is_taken_up_where_it_was(workspace: Workspace) -> None:
    running = workspace.start("--size", "3500")
    wait_for_step(running, "train_classifier")
    refused = workspace.run("--size", "3500")
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert refused.returncode == 1
    assert f"process {running.pid}" in refused.stderr
    assert "run.py train" in refused.stderr
    outcome = trained(workspace, "--size", "3500")
    assert "train_classifier           nothing changed" in outcome["printed"]
    assert "same data and code" not in outcome["reason"]


def wait_for_step(process: Any, step: str) -> None:
    """Read a run's output until this step has ended."""
    for line in process.stdout:
        if step in line:
            return
    pytest.fail(f"{step} never ended: {process.stderr.read()}")


def served(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as response:
            version: str = json.load(response)["model_version"]
            return version
    except OSError:
        return None


def ask(port: int, listing: dict[str, str], token: str = "") -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{port}/predict", json=listing, headers={"token": token}, timeout=10)
