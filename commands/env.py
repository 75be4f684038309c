"""`run.py env`: print the exports that make native commands use the same state."""

import os
import shlex
import sys
from argparse import ArgumentParser, Namespace

from commands.options import add_state
from state.environment import QUIET, past_the_proxy
from state.folder import State


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `env`."""
    parser.add_argument("--tracker", action="store_true", help="also the MLflow of the active stack, for mlflow ui")
    add_state(parser)


def env(state: State, options: Namespace) -> int:
    """Print shell exports: `eval "$(python run.py env)"`."""
    exports = {**QUIET, **past_the_proxy(os.environ), **state.exports()}
    if options.tracker:
        from stacks.active import connect_tracker

        address = connect_tracker(quiet=True)
        exports |= {"MLFLOW_TRACKING_URI": address, "MLFLOW_BACKEND_STORE_URI": address}
    for key, value in exports.items():
        sys.stdout.write(f"export {key}={shlex.quote(value)}\n")
    return 0
