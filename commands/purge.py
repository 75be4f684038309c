"""`run.py purge`: remove from the ledger what is older than it may be kept."""

import re
from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime, timedelta

from commands import CommandError
from commands.progress import console
from state.folder import State

_AGE = re.compile(r"([0-9]{1,5})([dhw])")
_AT_ONCE = 5_000  # predictions in one transaction: a service that is running waits for each
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def purge(state: State, options: Namespace) -> int:
    """Remove predictions with their feedback, kept answers, login attempts, audit entries and deleted users."""
    age = _age(options.older_than)
    state.prepare()
    from ledger import predictions
    from ledger.database import LedgerError, database_url, migrate, open_engine, writing

    url = database_url()
    try:
        migrate(url)
        engine = open_engine(url)
        removed = Counter[str]()
        before, more = datetime.now(UTC) - age, True
        while more:
            with writing(engine) as connection:
                part = predictions.purge(connection, before, _AT_ONCE)
            removed.update(part)
            more = part["predictions"] == _AT_ONCE
        engine.dispose()
    except LedgerError as error:
        raise CommandError(str(error)) from error
    for table, rows in removed.items():
        console.print(f"  {table:<16} {rows:,} removed")
    return 0


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if not found:
        raise CommandError(f"--older-than takes a number and a unit, as 90d, 12w or 36h, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
