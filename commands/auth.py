"""`run.py auth`: run the auth service apart from the prediction service."""

import os
import sys
from argparse import ArgumentParser, Namespace

from commands.listening import require_free
from commands.options import add_address, add_state
from state.folder import SOURCE_ROOT, State


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `auth`."""
    add_address(parser, 8001)
    add_state(parser)


def auth(state: State, options: Namespace) -> int:
    """Replace this process by the auth service, which reads its secrets from the environment or creates them."""
    state.prepare()
    require_free(options.host, options.port)
    os.environ["STATE_DIR"] = str(state.folder)
    os.chdir(SOURCE_ROOT)
    command = [
        sys.executable, "-m", "bento.auth_service", "--host", options.host, "--port", str(options.port),
    ]  # fmt: skip
    sys.stdout.write(f"Auth on http://{options.host}:{options.port}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    os.execv(command[0], command)
