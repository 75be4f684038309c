"""`run.py purge`: remove what the rules of retention do not keep, and show what stays and why."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.options import add_retention, add_state, read_duration
from state.folder import State
from terminal.console import announce, console
from terminal.errors import reported

if TYPE_CHECKING:
    from commands.retention import Removal
    from pipelines.config import RetentionConfig

_PATIENCE = 120  # seconds to wait for a run


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `purge`."""
    parser.add_argument(
        "--older-than", metavar="AGE", help="also remove what is older from the ledger, as 90d, 12w or 36h"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would go and how much that frees")
    add_retention(parser)
    add_state(parser)


def purge(state: State, options: Namespace) -> int:
    """Apply the rules to the ledger, to runs, versions and reports, and to copies of listings that were erased.

    The ledger comes first: what is to be erased there does not wait for ZenML or MLflow.
    """
    age: timedelta | None = None
    if options.older_than is not None:
        age = read_duration("--older-than", options.older_than, "hdw", "90d, 12w or 36h")
    state.prepare()
    from commands.retention import Removal
    from ledger.database import LedgerError
    from monitoring.report_folder import ReportFolderError
    from pipelines.config import ConfigurationError, RetentionConfig
    from state.lock import LockedError

    removals: list[Removal] = []
    with (
        state.locked("run.py purge", patience=_PATIENCE),
        reported(ConfigurationError, LedgerError, LockedError, ReportFolderError),
    ):
        rules = RetentionConfig.read(options.retention)
        try:
            with announce("reading what is kept"):
                for part in _parts(state, rules, age, dry_run=options.dry_run):
                    removals += part
        finally:
            _show(removals, dry_run=options.dry_run)
    return 0


def _parts(
    state: State, rules: "RetentionConfig", age: timedelta | None, *, dry_run: bool
) -> "Iterator[Sequence[Removal]]":
    """Apply the rules part by part. Raises the errors of the ledger, ZenML, MLflow and the disk."""
    from commands.erasure import erase_copies
    from commands.retention import rebuild_ledger, remove_rows, remove_stored
    from ledger.database import database_url
    from ledger.predictions import read_erased

    erased = read_erased(database_url())  # before outdated entries of the audit go
    yield remove_rows(rules, older_than=age, dry_run=dry_run)
    if not dry_run:
        rebuild_ledger()
    erased |= read_erased(database_url())

    from stacks.active import connect_tracker

    connect_tracker(quiet=True)
    yield remove_stored(state, rules, dry_run=dry_run, measure=True)
    if erased:
        yield erase_copies(erased, dry_run=dry_run)


def _show(removals: "Sequence[Removal]", *, dry_run: bool) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "would go" if dry_run else "removed", "MiB", "stays", "why it stays"):
        table.add_column(heading, justify="right" if heading in ("would go", "removed", "MiB", "stays") else "left")
    for removal in removals:
        freed = "" if removal.freed is None else f"{removal.freed / 2**20:,.1f}"
        kept = "" if removal.kept is None else f"{removal.kept:,}"
        table.add_row(removal.kind, f"{removal.gone:,}", freed, kept, removal.why)
    console().print(table)
