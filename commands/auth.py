"""`run.py auth`: auth apart from the prediction service."""

import os
import sys
from argparse import Namespace

from state.folder import SOURCE_ROOT, State


def auth(state: State, options: Namespace) -> int:
    """Become the auth service; what it needs is created in the state folder or read from the environment."""
    state.prepare()
    os.environ.setdefault("STATE_DIR", str(state.folder))
    os.chdir(SOURCE_ROOT)
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "bento.auth_service:create", "--host", options.host, "--port",
        str(options.port), "--log-level", "warning", "--no-access-log", "--no-server-header",
    ]  # fmt: skip
    sys.stdout.write(f"Auth on http://{options.host}:{options.port}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    os.execv(command[0], command)
