"""Calls a function in a process of its own, so that a service which runs for days does not keep what it imports."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from state.folder import SOURCE_ROOT
from terminal.errors import CommandError
from terminal.output import prepare_output


def call_apart(function: Callable[..., Any], *arguments: str) -> Any:
    """Return what a function of a module returns, as JSON has it: a tuple is a list. Raises its `CommandError`."""
    called = subprocess.run(
        [sys.executable, "-m", __name__, function.__module__, function.__name__, *arguments],
        cwd=SOURCE_ROOT, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if called.returncode:
        *_, error = called.stderr.strip().splitlines() or [f"{function.__name__} ended without a result"]
        raise CommandError(error)
    result = json.loads(called.stdout.splitlines()[-1])  # what the libraries print comes before
    if "error" in result:
        raise CommandError(result["error"])
    return result["value"]


def _main(module: str, name: str, *arguments: str) -> None:
    try:
        result = {"value": getattr(importlib.import_module(module), name)(*arguments)}
    except CommandError as error:
        result = {"error": str(error)}
    sys.stdout.write(f"\n{json.dumps(result)}\n")


if __name__ == "__main__":
    prepare_output()
    _main(*sys.argv[1:])
