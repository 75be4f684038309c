"""The commands after a training run, each as it can be pasted into this shell."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from state.folder import SOURCE_ROOT, State

DASHBOARD_PORT, TRACKER_PORT, SERVICE_PORT, PAGE_PORT = 8237, 5001, 3000, 8501
Command = tuple[str, str]  # its purpose, and itself
_LISTING = '{"designation": "Piscine gonflable ronde", "description": "Diamètre 3 m, avec pompe"}'
_READ_TOKEN = "import json, sys; print(json.load(sys.stdin)['access_token'])"


def after_training(state: State, tracker: str, model: str, *, served: bool) -> list[Command]:
    """Return what to do after a training run.

    `tracker`: the address of MLflow. `model`: the option that names the model, with a space before it, or nothing.
    `served`: whether there is a version in production, which can be served.
    """
    commands = []
    if state.moved:
        where = shlex.quote(str(state.folder))
        exports = f'eval "$({tool("python")} {run_py()} env --state {where})"'
        commands.append(("use this state in the commands below", exports))
    commands += [dashboard(), _mlflow(tracker)]
    if served:
        commands += _service(state, model)
    return commands


def dashboard() -> Command:
    """Return how to start ZenML's dashboard."""
    return (
        f"the ZenML dashboard, http://127.0.0.1:{DASHBOARD_PORT}",
        f"{tool('zenml')} login --local --port {DASHBOARD_PORT} --ip-address 127.0.0.1 </dev/null",
    )


def tool(name: str) -> str:
    """Return how this shell starts a tool of this environment: by its name when it is the one on the PATH."""
    path = Path(sys.prefix) / "bin" / name
    found = shutil.which(name)
    return name if found and Path(found).parent == path.parent else _shown(path)


def run_py() -> str:
    """Return the path of run.py, relative to the working folder where that is possible."""
    return _shown(SOURCE_ROOT / "run.py")


def _mlflow(tracker: str) -> Command:
    what = "MLflow: runs, plots, the registry"
    if not tracker.startswith("sqlite"):
        return what, f"xdg-open {shlex.quote(tracker)}"
    command = f"{tool('mlflow')} ui --host 127.0.0.1 --port {TRACKER_PORT} --backend-store-uri {shlex.quote(tracker)}"
    return f"{what}, http://127.0.0.1:{TRACKER_PORT}", command


def _service(state: State, model: str) -> Iterator[Command]:
    """Yield how to serve the Bento, how to open the web page, how to get a token, and a first request."""
    python, address = tool("python"), f"http://127.0.0.1:{SERVICE_PORT}"
    yield "serve the Bento in production", f"{python} {run_py()} serve{model}"
    password = shlex.quote(str(state.folder / "admin-password"))
    page = f"http://127.0.0.1:{PAGE_PORT}"
    yield f"the web page, {page}, from another shell; sign in as admin", f"{python} {run_py()} ui"
    yield "the password of admin", f"cat {password}"
    yield (
        "for programs: get a token, valid for half an hour",
        f'TOKEN=$(curl -s {address}/login -d username=admin -d "password=$(cat {password})" '
        f'| {python} -c "{_READ_TOKEN}")',
    )
    yield (
        f"ask for a product type; {address} lists all requests",
        f"curl -s {address}/predict -H \"Authorization: Bearer $TOKEN\" -H 'content-type: application/json' "
        f"-d '{_LISTING}'",
    )


def _shown(path: Path) -> str:
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
