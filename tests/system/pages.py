"""The commands of the documents, and a shell that runs them as a reader pastes them.

The pages run side by side in a few modules, each in its own clone and home folder. So in every command a free port
stands in the place of the page's port, and a path of the test's own in the place of one in `/tmp`. Where a command
relies on a default port the option is added; `test_pages.py` checks that the defaults are the ports of the pages.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalog.synthetic import generate
from catalog.taxonomy import RAKUTEN
from tests.system.snapshots import Snapshot
from tests.system.workspace import DASHBOARD, LIMIT, ROOT, free_port, quicker, wait_for, without_network

_FILES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(_FILES)}
# Commands that go on until they are ended, and the page that shows that they are ready.
SERVERS = {
    "mlflow ui": "http://127.0.0.1:5001/",
    "python run.py ui": "http://127.0.0.1:8501/_stcore/health",
    "python run.py watch": "http://127.0.0.1:8003/health",
    "python run.py auth": "http://127.0.0.1:8001/readyz",
    "python run.py serve --port 8002": "http://127.0.0.1:8002/readyz",
    "python run.py serve": "http://127.0.0.1:3000/readyz",
    "bentoml serve": "http://127.0.0.1:3000/readyz",
    "dask scheduler": "http://127.0.0.1:8787/health",
    "dask worker": "http://127.0.0.1:8788/health",
}
PORTS = (8237, 5001, 3000, 8001, 8002, 8003, 8501, 8786, 8787, 8788)
# The option that says what a command otherwise takes by default.
DEFAULTS = {
    "python run.py ui": "--port 8501",
    "python run.py watch": "--port 8003",
    "python run.py serve": "--port 3000",
    "bentoml serve": "--port 3000",
    "python run.py simulate": "--service http://127.0.0.1:3000",
}
# By default MLflow's server is a dozen processes: four that answer, and eight for jobs that nobody here has.
_ONE_MLFLOW = {"MLFLOW_WORKERS": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
_SHOW_VARIABLES = "import json, os; print(json.dumps(dict(os.environ)))"
_REMEMBERED = re.compile(r"([A-Z]+)=\$\(")  # a variable that the commands after it use


def commands(page: str, tier: str = "") -> list[str]:
    """Return the commands of a page. A line of a bash block is a command, and so is a python block.

    `tier`: those of the blocks that other tests run, since they need more than Python, as "containers".
    """
    languages = f"(bash {tier})" if tier else "(bash|python)"
    return [
        command
        for language, block in re.findall(rf"^```{languages}\n(.*?)^```", PAGES[page], re.DOTALL | re.MULTILINE)
        for command in ([f"python -c {shlex.quote(block)}"] if language == "python" else block.splitlines())
    ]


class Shell:
    """Runs commands one after another in a clone and keeps the servers among them running."""

    def __init__(self, folder: Path, before: Snapshot | None = None) -> None:
        """`before`: what the reader trained already; by default the clone and the home folder are fresh."""
        home = folder / "home"
        home.mkdir()
        self.tree = _clone(folder / "clone")
        if before:
            settings = "Library/Application Support" if sys.platform == "darwin" else ".config"
            before.copy_to(self.tree / ".state", zenml=home / settings / "zenml", bentoml=home / "bentoml")
        self.attempts = folder / "attempts.log"  # where blocked connections are written down
        own = {"HOME": str(home), "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}", **DASHBOARD, **_ONE_MLFLOW}
        own |= without_network(folder, self.attempts, quicker())
        unset = ("STATE_DIR", "ZENML_CONFIG_PATH", "BENTOML_HOME", "XDG_CONFIG_HOME", "MLFLOW_TRACKING_URI")
        self.environment = {key: value for key, value in os.environ.items() if key not in unset} | own
        self.assignments: list[str] = []  # of variables that are not exported
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self._log = folder / "servers.log"
        self._places = {f":{port}": f":{free_port()}" for port in PORTS}
        self._places |= {f"--port {old[1:]}": f"--port {new[1:]}" for old, new in self._places.items()}
        self._places["/tmp/"] = f"{folder}/"
        for name, service in (("SERVICE_URL", "http://127.0.0.1:3000"), ("MONITOR_URL", "http://127.0.0.1:8003")):
            self.environment[name] = self.placed(service)

    def placed(self, text: str) -> str:
        """Return a command or an address with the ports and paths of this shell."""
        for command, option in DEFAULTS.items():
            if command in text and "--port" not in text:
                text = f"{text} {option}"
        for old, new in self._places.items():
            text = text.replace(old, new)
        return text

    def run_all(self, commands: Sequence[str], instead: Mapping[str, Callable[[str], None]] | None = None) -> None:
        """Run the commands in their order; one that contains a key of `instead` is passed to that function."""
        for command in commands:
            if handler := next((handler for key, handler in (instead or {}).items() if key in command), None):
                handler(command)
            elif command.startswith("eval "):
                self.environment = json.loads(self.run(f"{command} && python -c {shlex.quote(_SHOW_VARIABLES)}"))
            elif variable := _REMEMBERED.match(command):
                value = self.run(f'{command} && printf %s "${variable[1]}"')
                self.assignments.append(f"{variable[1]}={shlex.quote(value)}")
            elif server := next((name for name in SERVERS if name in command), None):
                self.start(command, SERVERS[server])
            else:
                self.run(command)

    def run(self, command: str) -> str:
        """Run one command, which must succeed, and return what it prints."""
        # An answer that is an error is a failure of the command, which curl says only when asked.
        script = self.placed(" && ".join([*self.assignments, command])).replace("curl -s ", "curl -s --fail-with-body ")
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.tree, env=self.environment, capture_output=True, text=True, check=False,
            timeout=LIMIT,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str, page: str) -> None:
        """Start a server in the place of the one that has its page, and wait until it answers."""
        self.stop(page)
        script = self.placed(" && ".join([*self.assignments, f"exec env {command}"]))
        with self._log.open("ab") as log:
            server = subprocess.Popen(
                ["bash", "-c", script], cwd=self.tree, env=self.environment, stdout=log, stderr=log
            )
        self.servers[page] = server

        def ready() -> bool:
            assert server.poll() is None, f"{script}\n{self._log.read_text()}"
            return self.fetch(page) is not None

        wait_for(f"{script} answers", ready)

    def fetch(self, page: str) -> bytes | None:
        """Return what a page of a server shows, or None while there is no answer."""
        try:
            with urllib.request.urlopen(self.placed(page), timeout=LIMIT) as response:
                content: bytes = response.read()
                return content
        except OSError:
            return None

    def served_version(self) -> str | None:
        """Return the version that the prediction service serves, or None while there is no answer."""
        answer = self.fetch("http://127.0.0.1:3000/health")
        return json.loads(answer)["model_version"] if answer else None

    def stop(self, page: str) -> None:
        if server := self.servers.pop(page, None):
            server.send_signal(signal.SIGTERM)
            server.wait(LIMIT)

    def stop_servers(self) -> None:
        for page in list(self.servers):
            self.stop(page)


@contextmanager
def shell(folder: Path, before: Snapshot | None = None) -> Iterator[Shell]:
    """Open a shell; its servers end with it."""
    opened = Shell(folder, before)
    try:
        yield opened
    finally:
        opened.stop_servers()


def _clone(tree: Path) -> Path:
    """Copy the source as a fresh clone would be, with this environment as its own, and a shop's files in it."""
    ignored = shutil.ignore_patterns(".venv*", ".git", ".state", "__pycache__", ".*_cache", ".hypothesis")
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
    author = ["-c", "user.name=reader", "-c", "user.email=reader@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message", "clone"]):
        subprocess.run(["git", *command], cwd=tree, check=True)
    return tree
