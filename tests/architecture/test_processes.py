"""Each process loads only what it needs: it works where the other libraries cannot be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from run import VERBS

ROOT = Path(__file__).resolve().parents[2]
NOT_IN_A_SERVING_PROCESS = ["zenml", "mlflow", "evidently", "great_expectations", "sklearn", "pandas", "scipy", "skops"]


def run_without(modules: list[str], script: str) -> None:
    """Run a script in a process in which these modules cannot be imported."""
    block = f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
    done = subprocess.run([sys.executable, "-c", block + script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_service_loads_no_training_library() -> None:
    modules = "bento.service, bento.application, bento.auth_service, bento.deployment"
    run_without(NOT_IN_A_SERVING_PROCESS, f"import {modules}")


def test_what_services_share_loads_no_database_library() -> None:
    modules = ", ".join(f"web.{path.stem}" for path in (ROOT / "web").glob("[!_]*.py"))
    run_without(["sqlalchemy", "alembic"], f"import {modules}")


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in VERBS), ["stack", "apply", "--help"]])
def test_help_needs_no_library(arguments: list[str]) -> None:
    # -S: without site-packages, so that no library can be imported.
    done = subprocess.run(
        [sys.executable, "-S", "run.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: run.py ")
