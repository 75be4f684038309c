"""The main job from a user's chair: one process after another on the same state."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.system.service import serving, version_on, wait_for_line
from tests.system.snapshots import Snapshot, train
from tests.system.workspace import LIMIT, ROOT, Workspace, free_port, wait_for

pytestmark = pytest.mark.system


def test_the_first_run_trains_promotes_and_packages_without_the_network(one_version: Snapshot) -> None:
    outcome = one_version.outcome
    assert outcome["promoted"] is True
    assert outcome["model_version"] == "1"
    assert outcome["bento_tag"].startswith("rakuten-embedded:1-")
    low, high = outcome["weighted_f1_interval"]
    assert 0.5 < low < outcome["weighted_f1"] < high < 1
    assert outcome["contract"] in ("ok", "warning")
    assert "Traceback" not in outcome["printed"]
    attempts = one_version.workspace.attempts
    assert not attempts.exists(), attempts.read_text()


def test_an_edit_of_the_text_code_trains_again(one_version: Snapshot, tmp_path: Path) -> None:
    tree = tmp_path / "edited"
    ignored = shutil.ignore_patterns(".venv", ".git", ".state", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, tree, ignore=ignored)
    with (tree / "catalog" / "text.py").open("a") as file:
        file.write("\n# an edit\n")
    with one_version.restored() as workspace:
        outcome = train(Workspace(workspace.folder, tree), *one_version.arguments)
    assert "train_classifier           nothing changed" not in outcome["printed"]
    assert "same data and code" not in outcome["reason"]
    assert outcome["champion_weighted_f1"] == pytest.approx(outcome["weighted_f1"])
    assert outcome["promoted"] is False


def test_a_service_that_is_interrupted_while_it_starts_leaves_nothing_behind(
    one_version: Snapshot, workspace: Workspace
) -> None:
    with serving(one_version.copied_to(workspace)) as service:
        wait_for("the service is being started", lambda: service.children() != [])
        started = service.children()
        service.end(signal.SIGTERM)
        wait_for("its processes ended", lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))


def test_a_bento_that_is_gone_is_restored_from_its_artifact(one_version: Snapshot, workspace: Workspace) -> None:
    one_version.copied_to(workspace)
    shutil.rmtree(workspace.state / "bentoml")
    with serving(workspace) as service:
        service.wait_for_version("1")
        shutil.rmtree(workspace.state / "bentoml" / "bentos")  # while it is served
        wait_for("it is there again", lambda: any((workspace.state / "bentoml").rglob("model/manifest.json")))
        service.end(signal.SIGINT)


def test_the_workers_of_a_killed_serve_end_and_the_next_one_takes_the_port(
    one_version: Snapshot, workspace: Workspace
) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"  # where nothing listens
    folder = workspace.folder / "called from here"
    folder.mkdir()
    workspace = Workspace(
        one_version.copied_to(workspace).folder,
        called_from=folder,
        variables={"http_proxy": proxy, "DATABASE_URL": "sqlite:///my.db"},
    )
    with serving(workspace) as killed:
        killed.wait_for_version("1")
        assert killed.ask({"designation": "Piscine gonflable"}, killed.token()).status_code == 200
        assert (folder / "my.db").is_file()
        port = str(killed.port)
        second = workspace.run("serve", "--port", port)
        assert (second.returncode, f"(process {killed.process.pid}, since " in second.stderr) == (1, True)
        workers = [psutil.Process(int(pid)) for pid in killed.children()]
        killed.process.kill()
        killed.process.wait(LIMIT)
        with serving(workspace, "--port", port) as next_one:
            wait_for_line(next_one.process, "Serving")
            assert version_on(killed.port) == "1"
            assert not any(worker.is_running() for worker in workers)
    wait_for("nothing is left", lambda: version_on(killed.port) is None)


def test_an_interrupted_and_a_killed_run_are_continued_by_the_next_one(
    one_version: Snapshot, workspace: Workspace
) -> None:
    run = ("--size", "1200")
    interrupted = one_version.copied_to(workspace).start(*run)
    wait_for_step(interrupted, "consolidate_listings")
    interrupted.send_signal(signal.SIGINT)
    _, complaint = interrupted.communicate(timeout=LIMIT)
    assert interrupted.returncode == 130
    assert "Traceback" not in complaint

    killed = workspace.start(*run)
    assert "nothing changed" in wait_for_step(killed, "consolidate_listings")
    wait_for_step(killed, "train_classifier")
    killed.send_signal(signal.SIGSTOP)  # so that it does not end before the next command looks
    refused = workspace.run(*run)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert refused.returncode == 1
    assert f"process {killed.pid}" in refused.stderr
    assert "run.py train" in refused.stderr

    outcome = train(workspace, *run)
    assert "train_classifier           nothing changed" in outcome["printed"]
    assert "same data and code" not in outcome["reason"]
    assert outcome["model_version"]


def wait_for_step(process: Any, step: str) -> str:
    """Read a run's output until this step has ended, and return its line."""
    for line in process.stdout:
        if step in line:
            return str(line)
    pytest.fail(f"{step} never ended: {process.stderr.read()}")
