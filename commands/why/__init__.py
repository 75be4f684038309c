"""`run.py why`: why a listing was answered as it was, also by a version that was replaced."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import add_state, require_result_file
from state.files import write_atomically
from state.folder import State
from terminal.console import announce
from terminal.errors import CommandError, in_a_line, reported

if TYPE_CHECKING:
    from commands.why.own_model import OwnAnswer
    from commands.why.stored import Stored
    from tracking.lineage import Lineage

_TERMS = 10  # on each side
_HELP = """Show why a listing was answered as it was: the stored answer and the reviews of it, the version that gave it,
its Bento, training run, data and revision, the decision to promote it, and when it was in production. The words that
decided come from that version's own model, which is asked again; it says whether it still gives the same answer.
Versions that were replaced are explained too. What is no longer there is said in a sentence."""
_EXAMPLES = """The id is `prediction_id` in the answer of /predict. DATABASE_URL names the ledger if it is elsewhere.

examples:
  python run.py why 908cb7cf-5a3e-4a39-a6a5-6a3de6a1d7d0
  python run.py why 908cb7cf-5a3e-4a39-a6a5-6a3de6a1d7d0 --json why.json
"""


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `why`."""
    parser.description, parser.epilog, parser.formatter_class = _HELP, _EXAMPLES, RawDescriptionHelpFormatter
    parser.add_argument("prediction", metavar="PREDICTION_ID", help="the id of the stored answer")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write everything as JSON to FILE; an earlier one is replaced"
    )
    add_state(parser)


def why(state: State, options: Namespace) -> int:
    """Show a stored prediction with all that is known of it; exit code 1 if there is no such prediction."""
    state.prepare()
    require_result_file("--json", options.json, "prediction_id")
    from commands.why.answer import Why, show
    from commands.why.stored import NoPredictionError, read_stored
    from ledger.database import LedgerError

    with reported(LedgerError, NoPredictionError):
        stored = read_stored(options.prediction)
    with announce("asking the registry and the model of that version"):
        lineage, missing = _lineage(stored)
        own, reason = _own_answer(lineage, stored)
    answer = Why.of(stored, lineage, own, [*missing, *([reason] if reason else [])])
    if options.json:
        write_atomically(options.json, answer.model_dump_json(indent=2) + "\n")
    show(answer)
    return 0


def _lineage(stored: "Stored") -> "tuple[Lineage | None, list[str]]":
    """Return what the tracker has of the version, and sentences about what it does not have."""
    from mlflow.exceptions import MlflowException

    from stacks.active import connect_tracker
    from tracking.lineage import read_lineage

    try:
        connect_tracker(quiet=True)
        found = read_lineage(stored.record.model_name, stored.record.model_version)
    except (CommandError, MlflowException) as error:
        return None, [f"The tracker cannot be read, so only the ledger answers: {in_a_line(error)}."]
    return found, found.missing


def _own_answer(lineage: "Lineage | None", stored: "Stored") -> "tuple[OwnAnswer | None, str]":
    """Return the answer of the version's own model, or a sentence about why there is none."""
    from commands.why.own_model import NotAskedError, ask_own_model

    if lineage is None or lineage.version is None:
        return None, "The model of that version cannot be found, so the words that decided are not known."
    try:
        return ask_own_model(lineage.version, stored.record, _TERMS), ""
    except NotAskedError as error:
        return None, str(error)
