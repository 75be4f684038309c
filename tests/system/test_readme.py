"""The README is true: it names what there is, and every command in it is run by one of the modules beside this one."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.readme import README, sections
from tests.system.workspace import ROOT

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("test_readme_*.py"))


def test_the_commands_of_every_section_are_run_by_one_module() -> None:
    run = [section for name in MODULES for section in importlib.import_module(f"tests.system.{name}").SECTIONS]
    assert sorted(run) == sorted(heading for heading, commands in sections().items() if commands)


@pytest.mark.parametrize(
    ("verb", "default"),
    [("serve", "3000"), ("auth", "8001"), ("watch", "8003"), ("simulate", "http://127.0.0.1:3000")],
)
def test_the_default_addresses_are_those_of_the_readme(verb: str, default: str) -> None:
    command = [sys.executable, "run.py", verb, "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"({default})" in shown
    assert default in README


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
