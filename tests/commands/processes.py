"""run.py as a process of its own."""

import os
import subprocess
import sys

from tests.conftest import ROOT


def run_py(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, with these variables on top of the environment."""
    return subprocess.run(
        [sys.executable, "run.py", *arguments], cwd=ROOT, env={**os.environ, **environment}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
