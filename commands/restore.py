"""`run.py restore`: put back what `run.py backup` wrote, also elsewhere and on another machine."""

import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path

from commands.backup import contents, places, progress
from commands.options import add_state
from state.backup import BackupError
from state.folder import State
from state.restoration import restore_backup
from terminal.console import console
from terminal.errors import CommandError, reported


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `restore`."""
    parser.description = (
        "Put back what 'run.py backup' wrote: into folders that are empty or missing, also other ones than before. "
        "Every file is checked; of a damaged archive nothing is kept."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive to read")
    add_state(parser)


def restore(state: State, options: Namespace) -> int:
    """Restore the archive, and say what to do next."""
    file: Path = options.file.expanduser().absolute()
    if not file.is_file():
        raise CommandError(f"there is no file {file}")
    roots = places(state)
    state.prepare()
    with (
        state.locked("run.py restore"),
        reported(BackupError),
        progress() as shown,
        shown.open(file, "rb", description="Restoring") as archive,
    ):
        record = restore_backup(archive, roots)
    console().print(contents(record))
    console().print(f"All of it is as it was written, in {state.folder}.", soft_wrap=True)
    console().print("Users that were erased after the backup are back, and tokens that were voided after it are valid.")
    where = f" --state {shlex.quote(str(state.folder))}" if state.moved else ""
    console().print(f"Next: python run.py doctor{where}", soft_wrap=True)
    console().print(f"      python run.py purge --dry-run{where}", soft_wrap=True)
    return 0
