"""`run.py backup`: all state of a machine in one file, made while the services run."""

import shlex
import sqlite3
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import add_state
from ledger.location import database_url
from state.backup import BackupError, Record, members, write_backup
from state.folder import State
from terminal.console import announce, console
from terminal.errors import CommandError, in_a_line, reported

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 120  # seconds to wait for a run
_TOLD = ("predictions", "feedback", "users", "audit")  # tables of the ledger


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `backup`."""
    parser.description = (
        "Write keys, ledger, registry, runs and Bentos into one file, for you alone: it holds secrets. Services may go "
        "on meanwhile; a training is waited for. 'run.py restore FILE' puts it back, also on another machine."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive to write (.tar.gz)")
    add_state(parser)


def backup(state: State, options: Namespace) -> int:
    """Write the archive, and say what is in it and what is not."""
    state.prepare()
    file: Path = options.file.expanduser().absolute()
    if not file.parent.is_dir():
        raise CommandError(f"there is no folder {file.parent}: make it, or name another file")
    roots = places(state)
    with state.locked("run.py backup", patience=_PATIENCE), reported(BackupError):
        total = sum(path.stat().st_size for _, path in members(roots))
        try:
            with progress() as shown:
                task = shown.add_task("Backing up", total=total)
                record = write_backup(file, roots, lambda size: shown.advance(task, size))
        except sqlite3.Error as error:
            raise CommandError(
                f"a database cannot be copied ({in_a_line(error)}); 'run.py doctor' says more"
            ) from error
    console().print(contents(record))
    console().print(
        f"{file}: {file.stat().st_size / 2**20:,.1f} MiB. It holds keys and passwords: keep it safe.", soft_wrap=True
    )
    console().print(f"To put it back: python run.py restore {shlex.quote(str(file))}", soft_wrap=True)
    _say_what_is_not_in_it(roots)
    return 0


def places(state: State) -> dict[str, Path]:
    """Return the folders that hold state, by the names that they have in an archive."""
    with announce("looking for the folders"):
        from stacks.bentos import store_folder
        from stacks.home import zenml_home

        return {"state": state.folder, "zenml": zenml_home(), "bentoml": store_folder()}


def progress() -> "Progress":
    """Return what shows how far a copy is, for a `with` statement."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console(), transient=True)


def contents(record: Record) -> str:
    """Return what an archive holds, in a line or two."""
    size = sum(file.size for file in record.files.values())
    lines = [f"{len(record.files):,} files, {size / 2**20:,.1f} MiB, as of {record.made}"]
    counts = [f"{record.rows[name]:,} {name}" for name in _TOLD if name in record.rows]
    return "\n".join([*lines, f"the ledger: {', '.join(counts)}"] if counts else lines)


def _say_what_is_not_in_it(roots: dict[str, Path]) -> None:
    address = database_url()
    own = f"sqlite:///{roots['state'].resolve() / 'ledger.db'}"
    if not address.startswith("sqlite"):
        console().print("The ledger in PostgreSQL is not in it: copy it with pg_dump, before this.", style="yellow")
    elif address != own:
        console().print(f"The ledger at {address} is not in it: DATABASE_URL names it.", style="yellow")
