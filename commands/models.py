"""Which model a command is about, and the way to its registry."""

from argparse import Namespace
from typing import TYPE_CHECKING

from commands import CommandError

if TYPE_CHECKING:
    from catalog.taxonomy import Taxonomy


def taxonomy_of(options: Namespace) -> "Taxonomy":
    """Return the taxonomy in `--taxonomy FILE`, or else the 27 Rakuten types."""
    from catalog.taxonomy import RAKUTEN, Taxonomy, TaxonomyError

    try:
        return Taxonomy.read(options.taxonomy) if options.taxonomy else RAKUTEN
    except TaxonomyError as error:
        raise CommandError(str(error)) from error


def model_name(options: Namespace) -> str:
    """Return the name of the model, which is that of its taxonomy."""
    return taxonomy_of(options).name


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
