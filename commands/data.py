"""`run.py data`: write the embedded listings as the challenge's files."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from commands.options import add_state
from state.folder import State
from terminal.console import console
from terminal.errors import CommandError, reported


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `data`."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder to write to")
    parser.add_argument("--size", type=int, default=20_000, metavar="N", help="number of listings (20,000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the generator (0)")
    parser.add_argument("--force", action="store_true", help="write over other listings in DIR")
    add_state(parser)


def data(_state: State, options: Namespace) -> int:
    """Write the two files and name them."""
    from catalog.synthetic import write_rakuten_files

    try:
        with reported(ValueError):
            paths = write_rakuten_files(options.directory, options.size, options.seed, overwrite=options.force)
    except FileExistsError as error:
        raise CommandError(f"{error}; name an empty folder, or write over it with --force") from None
    except OSError as error:
        raise CommandError(f"{options.directory} cannot be written to: {error.strerror}") from error
    for path in paths:
        console().print(f"{path} ({options.size:,} synthetic listings)", soft_wrap=True)
    return 0
