"""Running the code of an earlier version: in a process of its own, isolated, and without the secrets of this one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# What the code of a version gets of our environment. Secrets are in variables, so all others stay here.
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Python runs isolated: it reads no variables, no user's packages and no files of the working folder.
_ISOLATED = ("-I", "-B")
PYTHON = sys.executable  # with the libraries of this environment


def run_isolated(
    program: str,
    arguments: Sequence[str],
    home: Path,
    *,
    given: str | None = None,
    limit: float,
    python: str = PYTHON,
) -> "subprocess.CompletedProcess[str]":
    """Run a Python program to its end. `home` is its working folder; `given` is what it reads from its input,
    `python` the interpreter of the environment that has its libraries.

    Raises `OSError`, and `subprocess.TimeoutExpired` after `limit` seconds.
    """
    return subprocess.run(
        [python, *_ISOLATED, "-c", program, *arguments],
        cwd=home,
        env={name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        | {"HOME": str(home), "TMPDIR": str(home)},
        input=given or "",
        encoding="utf-8",
        capture_output=True,
        timeout=limit,
        check=False,
    )


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line that a program wrote to its error output, which says why it failed."""
    return (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
