"""`run.py models`: the versions of a model with their scores, and the log of promotions and rollbacks."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from commands.options import add_json, add_model, add_state, prepare_result, taxonomy_in_use, write_result
from state.folder import State
from terminal.console import announce
from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from commands.models.catalogue import Catalogue, VersionDetails
    from commands.models.comparison import Comparison

_VERSIONS = {"list": 0, "show": 1, "compare": 2}  # how many versions each action takes
_KEYS = {"list": "versions", "show": "lineage", "compare": "overall"}  # by which an earlier result is known
_HELP = """Show the versions in the model registry.

  list           all versions with their scores and decisions, and the log of promotions and rollbacks (the default)
  show VERSION   one version: where it comes from, its model card, and its scores by product type
  compare A B    the scores of two versions, in all and by product type

Scores are those of each version's own evaluation. What an older version has not recorded is said."""
_EXAMPLES = """examples:
  python run.py models
  python run.py models show 3
  python run.py models compare 2 3 --json comparison.json
"""


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `models`."""
    parser.description, parser.epilog, parser.formatter_class = _HELP, _EXAMPLES, RawDescriptionHelpFormatter
    parser.add_argument("action", nargs="?", choices=list(_VERSIONS), default="list", help="what to show (list)")
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="numbers of versions in the registry")
    add_model(parser)
    add_json(parser, "everything")
    add_state(parser)


def models(state: State, options: Namespace) -> int:
    """Show versions: a table for people, JSON for programs."""
    wanted = _VERSIONS[options.action]
    if len(options.versions) != wanted:
        raise CommandError(f"'models {options.action}' takes {wanted or 'no'} version{'s' * (wanted != 1)}; see --help")
    state.prepare()
    prepare_result(options.json, _KEYS[options.action])
    with announce("connecting to the registry"):
        from mlflow.exceptions import MlflowException

        from commands.models import tables
        from commands.models.catalogue import NoVersionError, read_catalogue, read_version
        from commands.models.comparison import NotRecordedError, compare
        from stacks.active import connect_tracker

        connect_tracker(quiet=True)
    name = taxonomy_in_use(options).name
    found: Catalogue | VersionDetails | Comparison
    with reported(NoVersionError, NotRecordedError, MlflowException):
        if options.action == "list":
            found = read_catalogue(name)
        elif options.action == "show":
            found = read_version(name, *options.versions)
        else:
            found = compare(name, *options.versions)
    write_result(options.json, found.model_dump_json(indent=2) + "\n")
    tables.show(name, found)
    return 0
