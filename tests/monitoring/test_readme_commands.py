"""The commands in the README start the engines, on the ports that they name."""

import re
import shlex
import shutil
import subprocess
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.system.workspace import wait_for

pytestmark = pytest.mark.monitoring
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
    (block,) = re.findall(r"```bash monitoring\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    first, *commands, last = block.splitlines()
    subprocess.run(shlex.split(first), cwd=tree, check=True)
    assert last.endswith("python run.py watch")  # which the tests of the loop start
    assert {shlex.split(command)[0] for command in commands} == set(READY)
    running = []
    try:
        for command in commands:
            with (tree / "output.log").open("a") as output:
                running.append(subprocess.Popen(shlex.split(command), cwd=tree, stdout=output, stderr=output))
            wait_for(command, partial(answers, READY[shlex.split(command)[0]]), 30)
    finally:
        for process in running:
            process.terminate()
            process.wait(20)
