"""`run.py purge`: remove from the ledger what is older than its retention allows."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from datetime import UTC, datetime

from commands.options import add_state, read_duration
from state.folder import State
from terminal.console import console
from terminal.errors import reported

_IN_A_TRANSACTION = 5_000  # predictions; a service that is running waits for each transaction


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `purge`."""
    parser.add_argument("--older-than", required=True, metavar="AGE", help="age, as 90d, 12w or 36h")
    add_state(parser)


def purge(state: State, options: Namespace) -> int:
    """Remove predictions with their feedback, kept answers, login attempts, audit entries and deleted users."""
    before = datetime.now(UTC) - read_duration("--older-than", options.older_than, "hdw", "90d, 12w or 36h")
    state.prepare()
    from ledger.database import LedgerError

    with reported(LedgerError):
        removed = _remove(before)
    for table, rows in removed.items():
        console().print(f"  {table:<16} {rows:,} removed")
    return 0


def _remove(before: datetime) -> Counter[str]:
    """Remove what is older, in several transactions, and return the rows by table. Raises `LedgerError`."""
    from ledger import predictions
    from ledger.database import database_url, migrate, open_engine, writing

    url = database_url()
    migrate(url)
    engine = open_engine(url)
    removed = Counter[str]()
    more = True
    while more:
        with writing(engine) as connection:
            part = predictions.purge(connection, before, _IN_A_TRANSACTION)
        removed.update(part)
        more = part["predictions"] == _IN_A_TRANSACTION
    engine.dispose()
    return removed
