"""The README is true: every command in it is run, in its order, in a fresh home folder."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.synthetic import generate
from catalog.taxonomy import RAKUTEN
from tests.system.workspace import ROOT, wait_for

pytestmark = pytest.mark.readme
README = (ROOT / "README.md").read_text(encoding="utf-8")
# A line of a bash block is a command; a python block is one, too.
COMMANDS = [
    command
    for language, block in re.findall(r"```(bash|python)\n(.*?)```", README, re.DOTALL)
    for command in (block.splitlines() if language == "bash" else [f"python -c {shlex.quote(block)}"])
]
# Those that go on until they are ended, and the page that shows that they are there.
SERVERS = {
    "mlflow ui": "http://127.0.0.1:5001/",
    "python run.py watch": "http://127.0.0.1:8003/health",
    "python run.py auth": "http://127.0.0.1:8001/readyz",
    "python run.py serve": "http://127.0.0.1:3000/readyz",
    "bentoml serve": "http://127.0.0.1:3000/readyz",
}
DASHBOARD = "http://127.0.0.1:8237/"  # which ends by a command
REMEMBERED = re.compile(r"([A-Z]+)=\$\(")  # a variable that the commands after it use


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source as a fresh clone would be, with this environment as its own."""
    ignored = shutil.ignore_patterns(".venv", ".git", ".state", "__pycache__", ".*_cache")
    tree = tmp_path / "clone"
    shutil.copytree(ROOT, tree, ignore=ignored)
    (tree / ".venv").symlink_to(sys.prefix)
    (tree / ".venv" / ".installed").touch()
    shop = tree / "my-shop"
    shop.mkdir()
    frame = generate(600).set_index("index").rename_axis(None)
    frame[["designation", "description", "productid", "imageid"]].to_csv(shop / "X_train.csv")
    frame[["prdtypecode"]].to_csv(shop / "Y_train.csv")
    lines = ["code,label", *[f'{code},"{label}"' for code, label in RAKUTEN.labels.items()]]
    (shop / "taxonomy.csv").write_text("\n".join(lines))
    return tree


class Shell:
    """Runs commands as a reader pastes them, one after another, and keeps the servers among them."""

    def __init__(self, tree: Path, home: Path) -> None:
        self.tree = tree
        own = {
            "HOME": str(home),
            "ZENML_AUTO_OPEN_DASHBOARD": "false",
            "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        }
        unset = ("STATE_DIR", "ZENML_CONFIG_PATH", "BENTOML_HOME", "XDG_CONFIG_HOME", "MLFLOW_TRACKING_URI")
        self.environment = {key: value for key, value in os.environ.items() if key not in unset} | own
        self.exports: list[str] = []
        self.servers: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, command: str) -> str:
        # An answer that is an error is a failure of the command, which curl says only when asked.
        script = " && ".join([*self.exports, command]).replace("curl -s ", "curl -s --fail-with-body ")
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.tree, env=self.environment, capture_output=True, text=True, check=False,
            timeout=500,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str, page: str) -> None:
        self.stop(page)
        script = " && ".join([*self.exports, f"exec env {command}"])
        self.servers[page] = subprocess.Popen(["bash", "-c", script], cwd=self.tree, env=self.environment)
        wait_for(f"{command} answers", lambda: answers(page))

    def stop(self, page: str) -> None:
        if server := self.servers.pop(page, None):
            server.send_signal(signal.SIGTERM)
            server.wait(60)

    def stop_servers(self) -> None:
        for page in list(self.servers):
            self.stop(page)


@pytest.fixture
def shell(tree: Path, tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "home").mkdir()
    shell = Shell(tree, tmp_path / "home")
    yield shell
    shell.stop_servers()
    shell.run("zenml logout --local")


def answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(page, timeout=2):
            return True
    except OSError:
        return False


def served_version() -> str | None:
    try:
        with urllib.request.urlopen("http://127.0.0.1:3000/health", timeout=2) as response:
            version: str = json.load(response)["model_version"]
            return version
    except OSError:
        return None


def roll_back_while_it_serves(shell: Shell, command: str) -> None:
    before = served_version()
    shell.run("python run.py --size 3000 --new-baseline")  # so that there is something to return to
    wait_for("serve follows the promotion", lambda: served_version() not in (None, before))
    shell.run(command)
    wait_for("serve follows the rollback", lambda: served_version() == before)


def test_every_command_does_what_it_says(shell: Shell) -> None:
    for page in (*SERVERS.values(), DASHBOARD):
        if answers(page):
            pytest.skip(f"something else answers on {page}, which the README's commands need")
    for command in COMMANDS:
        if command == "make test":
            shell.run("make --dry-run test")  # this is it
        elif command.startswith("eval "):
            shell.exports.append(command)
        elif variable := REMEMBERED.match(command):
            value = shell.run(f'{command} && printf %s "${variable[1]}"')
            shell.exports.append(f"{variable[1]}={shlex.quote(value)}")
        elif server := next((name for name in SERVERS if name in command), None):
            shell.start(command, SERVERS[server])
        elif "rollback" in command:
            roll_back_while_it_serves(shell, command)
        else:
            shell.run(command)


def test_the_library_example_runs(tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[-1]
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[2583] [1560 2583]", done.stderr


def test_what_the_readme_names_is_there() -> None:
    names = set(re.findall(r"`([a-z_]+/[\w./-]*|[\w-]+\.(?:py|yaml|lock))`", README))
    missing = {name for name in names if not (ROOT / name).exists()} - {".state/"}
    assert not missing
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets
