"""The commands of the page about monitoring start the engines, on the ports that they name."""

import shlex
import shutil
import subprocess
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.system.pages import commands
from tests.system.workspace import wait_for

pytestmark = pytest.mark.monitoring
PAGE = "docs/monitoring.md"
READY = {
    "prometheus": "http://127.0.0.1:9090/-/ready",
    "prometheus-alertmanager": "http://127.0.0.1:9093/-/ready",
    "prometheus-pushgateway": "http://127.0.0.1:9091/-/ready",
    "prometheus-blackbox-exporter": "http://127.0.0.1:9115/-/healthy",
}


def answers(page: str) -> bool:
    try:
        return httpx.get(page, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, page in READY.items():
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        if answers(page):
            pytest.skip(f"something else answers on {page}")
    shutil.copytree(ROOT / "monitoring", tmp_path / "monitoring")
    (tmp_path / ".state").mkdir()
    for token in ("metrics-token", "alert-token"):
        (tmp_path / ".state" / token).write_text("a-token-of-this-test")
    return tmp_path


def test_each_engine_starts_by_its_command(tree: Path) -> None:
    first, *started, last = commands(PAGE, "monitoring")
    subprocess.run(shlex.split(first), cwd=tree, check=True)
    assert last.endswith("python run.py watch")  # which the tests of the loop start
    assert {shlex.split(command)[0] for command in started} == set(READY)
    running = []
    try:
        for command in started:
            with (tree / "output.log").open("a") as output:
                running.append(subprocess.Popen(shlex.split(command), cwd=tree, stdout=output, stderr=output))
            wait_for(command, partial(answers, READY[shlex.split(command)[0]]), 30)
    finally:
        for process in running:
            process.terminate()
            process.wait(20)


def test_the_commands_for_containers_name_what_is_configured(tree: Path) -> None:
    """The images are not here: the engine reads the configuration instead of starting them."""
    *prepared, last = commands(PAGE, "compose")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose plugin")
    assert last.endswith(" up -d")
    script = " && ".join([*prepared, last.replace(" up -d", " config --quiet")])
    subprocess.run(["bash", "-c", script], cwd=tree, check=True)
