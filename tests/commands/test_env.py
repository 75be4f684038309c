"""`run.py env`: exports for native commands."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_a_shell_can_evaluate_the_exports(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    shown = subprocess.run(
        ["sh", "-c", f'eval "$({sys.executable} run.py env --state \'{folder}\')" && printenv ZENML_CONFIG_PATH'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.strip() == str(folder / "zenml")
