"""One pipeline on two stacks: the same answers, and the second one's steps in containers."""

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.system.pages import commands
from tests.system.service import serving
from tests.system.workspace import ROOT, Workspace

pytestmark = pytest.mark.stacks
SIZE = "1500"
HOSTS = """
import json
from zenml.client import Client
(run,) = Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items
print(json.dumps({name: step.run_metadata["host"] for name, step in run.steps.items()}))
"""


@pytest.fixture(scope="module")
def engine() -> None:
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env(timeout=5).ping()
    except DockerException as error:
        pytest.skip(f"no container engine answers here ({error}); start Docker, or name it in DOCKER_HOST")


def trained(folder: Path, stack: str) -> tuple[Workspace, dict[str, Any]]:
    folder.mkdir()
    workspace = Workspace(folder)
    applied = workspace.run("stack", "apply", stack)
    assert applied.returncode == 0, applied.stderr
    report = folder / "outcome.json"
    done = workspace.run("--size", SIZE, "--json", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace, json.loads(report.read_text())


def hosts(workspace: Workspace) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", HOSTS], env=workspace.environment(), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory, engine: None) -> tuple[Workspace, dict[str, Any]]:
    return trained(tmp_path_factory.mktemp("stacks") / "containers", "containers")


def test_on_an_empty_registry_each_stack_comes_to_the_same(
    containers: tuple[Workspace, dict[str, Any]], tmp_path: Path
) -> None:
    _, there = containers
    workspace, here = trained(tmp_path / "local", "local")
    for key in ("data_hash", "rows", "contract", "promoted", "reason", "model_version"):
        assert here[key] == there[key], key
    for key in ("weighted_f1", "macro_f1", "ece", "weighted_f1_interval"):
        assert here[key] == pytest.approx(there[key], abs=1e-9), key
    assert set(hosts(workspace).values()) == {platform.node()}


def test_every_step_ran_in_a_container_of_its_own(containers: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, _ = containers
    found = hosts(workspace)
    assert len(found) == len(set(found.values())) == 10
    assert platform.node() not in found.values()


def test_the_bento_that_a_container_built_is_served_from_its_artifact(
    containers: tuple[Workspace, dict[str, Any]],
) -> None:
    workspace, _ = containers
    with serving(workspace) as service:
        service.wait_for_version("1")


@pytest.mark.usefixtures("engine")
def test_the_commands_for_containers_do_what_they_say(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for command in commands("docs/stacks.md", "containers"):
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=workspace.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "activated" in done.stdout


def test_files_of_listings_reach_the_containers(containers: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, _ = containers
    folder = workspace.folder / "listings"
    assert workspace.run("data", str(folder), "--size", "600").returncode == 0
    report = workspace.folder / "files.json"
    done = workspace.run("--data", str(folder), "--json", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text())["rows"] > 500


def test_a_broken_contract_is_said_as_on_any_stack(containers: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, _ = containers
    folder = workspace.folder / "broken"
    assert workspace.run("data", str(folder), "--size", "600").returncode == 0
    codes = next(folder.glob("Y_train*.csv"))
    lines = codes.read_text().splitlines()
    codes.write_text("\n".join([lines[0], *(f"{line.split(',')[0]},999" for line in lines[1:])]) + "\n")
    done = workspace.run("--data", str(folder))
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
