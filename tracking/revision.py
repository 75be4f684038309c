"""The revision of the source that is running."""

import os
import subprocess
from pathlib import Path

_SOURCE_ROOT = Path(__file__).resolve().parents[1]


def git_revision() -> str:
    """Return the commit of the source, with `+changes` when the working tree differs from it, or `unknown`."""
    if given := os.environ.get("GIT_REVISION"):  # images are built without the repository
        return given
    describe = [
        "git",
        "-C",
        str(_SOURCE_ROOT),
        "describe",
        "--always",
        "--abbrev=40",
        "--exclude=*",
        "--dirty=+changes",
    ]
    try:
        done = subprocess.run(describe, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
