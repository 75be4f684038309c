"""Where the ledger is: in the database that `DATABASE_URL` names, or else in the state folder."""

import os
import re
from pathlib import Path

_IN_A_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)([^?]+)", re.IGNORECASE)


def database_url() -> str:
    """Return `DATABASE_URL`, or else the SQLite file in the state folder."""
    state = Path(os.environ.get("STATE_DIR") or Path(__file__).resolve().parents[1] / ".state")
    given = os.environ.get("DATABASE_URL")
    return absolute(given) if given else f"sqlite:///{state.expanduser().resolve() / 'ledger.db'}"


def absolute(address: str) -> str:
    """Return the address of a database, where a relative path of SQLite's begins at the working folder.

    Processes with other working folders would open another file.
    """
    return _IN_A_FILE.sub(lambda found: f"{found[1]}{Path(found[2]).absolute()}", address, count=1)
