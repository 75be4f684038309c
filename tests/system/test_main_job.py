"""The main job from a user's chair: one process after another on the same state."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.system.service import serving, version_on
from tests.system.snapshots import Snapshot, train
from tests.system.workspace import LIMIT, ROOT, Workspace, wait_for

pytestmark = pytest.mark.system


def test_the_first_run_trains_promotes_and_packages_without_the_network(one_version: Snapshot) -> None:
    outcome = one_version.outcome
    assert outcome["promoted"] is True
    assert outcome["model_version"] == "1"
    assert outcome["bento_tag"].startswith("rakuten:1-")
    low, high = outcome["weighted_f1_interval"]
    assert 0.5 < low < outcome["weighted_f1"] < high < 1
    assert outcome["contract"] in ("ok", "warning")
    assert "Traceback" not in outcome["printed"]
    attempts = one_version.workspace.attempts
    assert not attempts.exists(), attempts.read_text()


def test_a_repetition_changes_nothing(one_version: Snapshot) -> None:
    with one_version.restored() as workspace:
        outcome = train(workspace, *one_version.arguments)
    assert outcome["promoted"] is False
    assert "same data and code as version 1" in outcome["reason"]
    assert outcome["model_version"] == "1"
    assert outcome["bento_tag"] == one_version.outcome["bento_tag"]
    for step in ("ingest_listings", "consolidate_listings", "train_classifier", "evaluate_classifier"):
        assert f"{step:<26} nothing changed" in outcome["printed"]


def test_an_edit_of_the_text_code_trains_again(one_version: Snapshot, tmp_path: Path) -> None:
    tree = tmp_path / "edited"
    ignored = shutil.ignore_patterns(".venv", ".git", ".state", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, tree, ignore=ignored)
    with (tree / "catalog" / "text.py").open("a") as file:
        file.write("\n# an edit\n")
    with one_version.restored() as workspace:
        outcome = train(Workspace(workspace.folder, tree), *one_version.arguments)
    assert "train_classifier           nothing changed" not in outcome["printed"]
    assert "ingest_listings            nothing changed" in outcome["printed"]
    assert "same data and code" not in outcome["reason"]
    assert outcome["champion_weighted_f1"] == pytest.approx(outcome["weighted_f1"])
    assert outcome["promoted"] is False


def test_serving_follows_a_promotion_and_a_rollback(one_version: Snapshot, workspace: Workspace) -> None:
    one_version.copied_to(workspace)
    with serving(workspace, "--every", "1") as service:
        service.wait_for_version("1")
        listing = {"designation": "Piscine gonflable ronde", "description": "avec pompe"}
        assert service.ask(listing).status_code == 401
        answer = service.ask(listing, service.token())
        assert answer.status_code == 200
        assert set(answer.json()) >= {"predicted_class", "predicted_code", "confidence", "abstained", "model_version"}
        outcome = train(workspace, "--size", "1000", "--new-baseline")
        assert outcome["promoted"] is True, outcome["reason"]
        assert outcome["model_version"] == "2"
        service.wait_for_version("2")
        done = workspace.run("rollback", "--reason", "worse on toys")
        assert done.returncode == 0, done.stderr
        assert "worse on toys" in done.stdout
        service.wait_for_version("1")
        assert not workspace.attempts.exists(), workspace.attempts.read_text()
    assert version_on(service.port) is None


def test_a_service_that_is_interrupted_while_it_starts_leaves_nothing_behind(
    one_version: Snapshot, workspace: Workspace
) -> None:
    with serving(one_version.copied_to(workspace)) as service:
        wait_for("the service is being started", lambda: service.children() != [])
        started = service.children()
        service.end(signal.SIGTERM)
        wait_for("its processes ended", lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))


def test_a_rollback_is_not_undone_by_the_next_run_on_the_same_data(two_versions: Snapshot) -> None:
    with two_versions.restored() as workspace:
        done = workspace.run("rollback")
        assert done.returncode == 0, done.stderr
        data = [argument for argument in two_versions.arguments if argument != "--new-baseline"]
        outcome = train(workspace, *data)
    assert outcome["data_hash"] == two_versions.outcome["data_hash"]
    assert outcome["promoted"] is False
    assert outcome["model_version"] == "1"


def test_there_is_nothing_before_the_first_version(one_version: Snapshot, workspace: Workspace) -> None:
    done = one_version.copied_to(workspace).run("rollback")
    assert done.returncode == 1
    assert "is the first of model 'rakuten' in production" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bento_that_is_gone_is_restored_from_its_artifact(one_version: Snapshot, workspace: Workspace) -> None:
    one_version.copied_to(workspace)
    shutil.rmtree(workspace.state / "bentoml")
    with serving(workspace) as service:
        service.wait_for_version("1")
        service.end(signal.SIGINT)


def test_ctrl_c_leaves_with_130_and_the_next_run_works(one_version: Snapshot, workspace: Workspace) -> None:
    running = one_version.copied_to(workspace).start("--size", "1200")
    wait_for_step(running, "consolidate_listings")
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=LIMIT)
    assert running.returncode == 130
    assert "Traceback" not in complaint
    outcome = train(workspace, "--size", "1200")
    assert "consolidate_listings       nothing changed" in outcome["printed"]
    assert outcome["model_version"]


def test_a_killed_run_is_taken_up_where_it_was(one_version: Snapshot, workspace: Workspace) -> None:
    running = one_version.copied_to(workspace).start("--size", "1200")
    wait_for_step(running, "train_classifier")
    running.send_signal(signal.SIGSTOP)  # so that it does not end before the next command looks
    refused = workspace.run("--size", "1200")
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert refused.returncode == 1
    assert f"process {running.pid}" in refused.stderr
    assert "run.py train" in refused.stderr
    outcome = train(workspace, "--size", "1200")
    assert "train_classifier           nothing changed" in outcome["printed"]
    assert "same data and code" not in outcome["reason"]


def wait_for_step(process: Any, step: str) -> None:
    """Read a run's output until this step has ended."""
    for line in process.stdout:
        if step in line:
            return
    pytest.fail(f"{step} never ended: {process.stderr.read()}")
