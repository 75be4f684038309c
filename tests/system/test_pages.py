"""The documents are true: every command in them is run by one of the modules beside this one, or by a tier's tests."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.pages import PAGES, commands
from tests.system.workspace import ROOT

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("test_pages_*.py"))
TIERS = {"containers", "airflow", "monitoring", "compose"}
_COMMAND = re.compile(r"^(?:\$ )?(?:python|make|curl|docker|zenml|mlflow|bentoml) ", re.MULTILINE)
_BLOCK = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def test_the_commands_of_every_page_are_run_by_one_module() -> None:
    run = [page for name in MODULES for page in importlib.import_module(f"tests.system.{name}").PAGES]
    assert sorted(run) == sorted(page for page in PAGES if commands(page))


@pytest.mark.parametrize("page", PAGES)
def test_no_block_of_commands_is_of_a_kind_that_is_not_run(page: str) -> None:
    run = {"bash", "python", *(f"bash {tier}" for tier in TIERS)}
    for kind, block in _BLOCK.findall(PAGES[page]):
        assert kind in run | {"text", "json", "nginx", "mermaid"}
        assert kind in run or not _COMMAND.search(block)


def test_every_tier_has_commands() -> None:
    assert {tier for tier in TIERS if any(commands(page, tier) for page in PAGES)} == TIERS


@pytest.mark.parametrize(
    ("verb", "default"),
    [("serve", "3000"), ("auth", "8001"), ("watch", "8003"), ("ui", "8501"), ("simulate", "http://127.0.0.1:3000")],
)
def test_the_default_addresses_are_those_of_the_pages(verb: str, default: str) -> None:
    command = [sys.executable, "run.py", verb, "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"({default})" in shown
    assert any(default in text for text in PAGES.values())


def test_the_library_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGES["docs/training.md"], re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[2583] [1560 2583]", done.stderr
