"""`run.py env`: the exports that make native commands use the same state."""

import shlex
import sys
from argparse import Namespace

from commands.state import QUIET, State


def env(state: State, _options: Namespace) -> int:
    """Print shell exports: `eval "$(python run.py env)"`."""
    for key, value in {**QUIET, **state.exports()}.items():
        sys.stdout.write(f"export {key}={shlex.quote(value)}\n")
    return 0
