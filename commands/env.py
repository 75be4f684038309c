"""`run.py env`: the exports that make native commands use the same state."""

import shlex
import sys
from argparse import Namespace

from state.environment import QUIET
from state.folder import State


def env(state: State, options: Namespace) -> int:
    """Print shell exports: `eval "$(python run.py env)"`."""
    exports = {**QUIET, **state.exports()}
    if options.tracker:
        from commands.models import connect

        address = connect()
        exports |= {"MLFLOW_TRACKING_URI": address, "MLFLOW_BACKEND_STORE_URI": address}
    for key, value in exports.items():
        sys.stdout.write(f"export {key}={shlex.quote(value)}\n")
    return 0
