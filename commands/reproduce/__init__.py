"""`run.py reproduce`: train a version again from its record, and say whether it is the same."""

import shutil
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_model, add_state, require_result_file, taxonomy_in_use
from state.files import write_atomically
from state.folder import State
from terminal.errors import CommandError, in_a_line

if TYPE_CHECKING:
    from commands.reproduce.verdict import Reproduction

SAME, DIFFERENT, INCOMPLETE = 0, 1, 3  # exit codes; 2 is a wrong command line
_HELP = """Train a version again from what was recorded of it, and say whether it is the same: every answer on the test
rows, the scores, and the decision against the version that was in production then.

It takes the code from a worktree of the recorded commit, the rows from the artifact of that training (or again from
their source, checked by their hash), and the configuration with its seed from the record. The libraries are those of
this environment, if they are the recorded ones. With --install they are installed into an environment of their own in
the state folder, from the network and by their hashes; without it, only the services of the stack are asked. The
training runs in an isolated process. Registry, stack, Bento store and service stay as they are. If something is gone,
it says what."""
_EXAMPLES = """exit codes: 0 everything is the same, 1 something differs (or an error), 3 something is gone

examples:
  python run.py reproduce                        the version in production
  python run.py reproduce 3 --json result.json   version 3, with the result for a program
  python run.py reproduce 3 --install            in an environment of its own
"""


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `reproduce`."""
    parser.description, parser.epilog, parser.formatter_class = _HELP, _EXAMPLES, RawDescriptionHelpFormatter
    parser.add_argument(
        "version",
        metavar="VERSION",
        nargs="?",
        default="production",
        help="number of the version, or an alias: production (the default), previous, challenger",
    )
    add_model(parser)
    parser.add_argument(
        "--install",
        action="store_true",
        help="install the recorded libraries into an environment of their own, from the network; once per lock file",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the result as JSON to FILE; an earlier one is replaced"
    )
    add_state(parser)


def reproduce(state: State, options: Namespace) -> int:
    """Make a version again and compare it; the exit code says what came of it."""
    from state.processes import on_end

    state.prepare()
    require_result_file("--json", options.json, "verdict")
    on_end(_interrupt)  # also on SIGTERM, so that the worktree is removed
    with state.locked("run.py reproduce", lock="reproduce.lock"):
        found = _reproduce(state.folder / "reproduce", options)
    from commands.reproduce.answer import show

    if options.json:
        write_atomically(options.json, found.model_dump_json(indent=2) + "\n")
    show(found)
    return {"same": SAME, "different": DIFFERENT, "incomplete": INCOMPLETE}[found.verdict]


def _interrupt() -> None:
    raise KeyboardInterrupt


def _reproduce(folder: Path, options: Namespace) -> "Reproduction":
    """Return what came of it. What is gone is part of the result."""
    from terminal.console import announce

    started = monotonic()
    with announce("asking the registry"):
        from mlflow.exceptions import MlflowException

        from commands.reproduce.attempt import Attempt
        from stacks.active import connect_tracker

        connect_tracker(quiet=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    attempt = Attempt(taxonomy_in_use(options).name, options.version)
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
    work.mkdir(mode=0o700)
    try:
        attempt.run(folder, work, install=options.install)
    except MlflowException as error:
        raise CommandError(f"the tracker does not answer: {in_a_line(error)}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return attempt.result(monotonic() - started)
