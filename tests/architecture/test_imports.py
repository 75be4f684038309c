"""Imports point one way, and a serving process loads only what it needs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from run import VERBS

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "catalog": set(),
    "ledger": set(),
    "state": set(),
    "terminal": {"state"},
    "checks": {"catalog", "ledger"},
    "tracking": {"catalog", "ledger", "checks"},
    "reports": {"catalog", "checks", "tracking"},
    "steps": {"catalog", "ledger", "checks", "tracking", "reports", "bento"},  # of bento one module only, see below
    "pipelines": {"catalog", "ledger", "checks", "steps"},
    "web": {"ledger"},  # one module only, see below
    "bento": {"catalog", "ledger", "web"},
    "stacks": {"state", "terminal"},
    "monitoring": {"catalog", "checks", "state", "stacks", "web", "reports"},  # of catalog the verdicts only, see below
    "commands": {
        "catalog", "ledger", "web", "checks", "tracking", "steps", "pipelines", "stacks", "state", "terminal",
        "monitoring",
    },
}  # fmt: skip
OURS = {*MAY_IMPORT, "run"}
NOT_IN_A_SERVING_PROCESS = ["zenml", "mlflow", "evidently", "great_expectations", "sklearn", "pandas", "scipy", "skops"]


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_what_is_below_them(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in (ROOT / package).rglob("*.py")
        for module in imported_by(path)
        if module.split(".")[0] in OURS - allowed
    ]
    assert not wrong


def test_web_imports_of_the_ledger_only_the_callers() -> None:
    used = {module for path in (ROOT / "web").rglob("*.py") for module in imported_by(path)}
    assert {module for module in used if module.split(".")[0] == "ledger"} == {"ledger.callers"}


def test_monitoring_imports_of_the_catalogue_only_the_verdicts() -> None:
    used = {module for path in (ROOT / "monitoring").rglob("*.py") for module in imported_by(path)}
    assert {module for module in used if module.split(".")[0] == "catalog"} == {"catalog.verdict"}


def test_web_and_the_monitor_service_load_no_sqlalchemy() -> None:
    modules = [f"web.{path.stem}" for path in (ROOT / "web").glob("*.py")]
    script = f"import sys; sys.modules['sqlalchemy'] = None; import monitoring.watch, {', '.join(modules)}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_steps_build_the_bento_and_import_no_code_of_the_service() -> None:
    used = {module for path in (ROOT / "steps").rglob("*.py") for module in imported_by(path)}
    assert {module for module in used if module.split(".")[0] == "bento"} <= {"bento.build"}
    assert not {module for module in imported_by(ROOT / "bento" / "build.py") if module.split(".")[0] == "bento"}


def test_the_image_of_the_steps_has_every_file_of_the_rooms_that_they_may_import() -> None:
    rooms = {"pipelines"}
    while more := {room for known in rooms for room in MAY_IMPORT[known]} - rooms:
        rooms |= more
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = exclude_paths(str(ROOT), [line for line in lines if line and not line.startswith("#")])
    needed = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert any(path.endswith(".html.j2") for path in needed)
    assert not needed - copied


@pytest.mark.parametrize("package", ["steps", "pipelines"])
def test_steps_and_pipelines_know_no_stack(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert not {"zenml.client", "zenml.integrations"} & set(imported_by(path)), path
        text = path.read_text(encoding="utf-8")
        for name in ("local_docker", "airflow", "kubernetes", "mlflow_local", "sqlite:", "s3://", "http://"):
            assert name not in text, f"{path} names {name}"


def test_the_service_runs_where_the_training_libraries_do_not_exist() -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({NOT_IN_A_SERVING_PROCESS!r}))"
    service = "import bento.service, bento.application, bento.auth_service, bento.deployment"
    done = subprocess.run(
        [sys.executable, "-c", f"{block}; {service}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in VERBS), ["stack", "apply", "--help"]])
def test_help_needs_no_library(arguments: list[str]) -> None:
    # -S: without site-packages, so that no library can be imported.
    done = subprocess.run(
        [sys.executable, "-S", "run.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: run.py ")
