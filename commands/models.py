"""Which model a command is about, and the way to its registry."""

from argparse import Namespace

from commands import CommandError


def model_name(options: Namespace) -> str:
    """Return the name of the model: that of the taxonomy in `--taxonomy FILE`, or else the 27 Rakuten types'."""
    from catalog.taxonomy import RAKUTEN, Taxonomy, TaxonomyError

    try:
        return Taxonomy.read(options.taxonomy).name if options.taxonomy else RAKUTEN.name
    except TaxonomyError as error:
        raise CommandError(str(error)) from error


def connect() -> str:
    """Point MLflow at the active stack's tracker and return its address; `CommandError` when the stack has none."""
    from commands.progress import quieten
    from stacks.apply import connect_tracker
    from stacks.files import StackError

    quieten()
    try:
        return connect_tracker()
    except StackError as error:
        raise CommandError(str(error)) from error
