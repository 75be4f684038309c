"""`run.py data`: write the embedded listings as the challenge's files."""

from argparse import Namespace

from commands import CommandError
from commands.progress import console
from state.folder import State


def data(_state: State, options: Namespace) -> int:
    """Write the two files and say what they hold."""
    from catalog.synthetic import write_rakuten_files

    try:
        paths = write_rakuten_files(options.directory, options.size, options.seed)
    except ValueError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{options.directory} cannot be written to: {error.strerror}") from error
    for path in paths:
        console.print(f"{path} ({options.size:,} synthetic listings)", soft_wrap=True)
    return 0
