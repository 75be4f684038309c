#!/usr/bin/env python3
"""Product types of marketplace listings: train, serve, monitor, roll back. `python run.py --help` lists everything."""

import argparse
import importlib
import os
import sys
from types import ModuleType

from terminal.output import prepare_output

VERBS = {
    "train": "run the training pipeline (the default)",
    "serve": "serve the Bento in production, and follow promotions",
    "score": "classify a whole catalogue: csv or Parquet files of any size",
    "monitor": "run the monitoring pipeline once",
    "watch": "run the monitor service: reports on an interval, alerts that retrain",
    "simulate": "send the service realistic traffic, with feedback",
    "ui": "serve the web page: classify, catalogues, review, models",
    "auth": "run the auth service apart from the prediction service",
    "why": "show why a listing was answered as it was",
    "models": "show the versions in the registry, one version, or two side by side",
    "reproduce": "train a version again from its record, and say whether it is the same",
    "rollback": "return to the version that was in production before",
    "purge": "remove predictions and feedback that are too old to keep",
    "backup": "write all state of this machine into one file, while the services run",
    "restore": "put a backup back, also on another machine",
    "audit": "list the listings whose product type is probably wrong",
    "data": "write the embedded listings as the challenge's files",
    "env": 'print exports for native commands: eval "$(python run.py env)"',
    "stack": "list, compare and apply the stack files: where the pipelines run",
    "doctor": "check versions, folders, stack and services; say what to do",
}
ADDRESSES = ("DATABASE_URL", "TRACKER_URI")  # may name an SQLite file by a relative path
EXAMPLES = """examples:
  python run.py                                  train on 20,000 embedded listings, promote the model if it is better
  python run.py --data DIR                       train on the challenge's files (X_train_update.csv, …)
  python run.py --data DIR --taxonomy FILE       train on any other catalogue (csv: code,label)
  python run.py serve                            serve the model in production on http://127.0.0.1:3000
  python run.py monitor                          measure drift and quality of the answers of the model in production
  python run.py simulate --kind drifted          send the service listings that differ from those it was trained on
  python run.py watch -- --data DIR              report every 15 minutes; retrain on alerts, with the options after --
  python run.py why PREDICTION_ID                show which version gave an answer, and the words that decided
  python run.py models compare 2 3               show what version 3 does better and worse than version 2
  python run.py reproduce                        train the version in production again, and compare every answer
  python run.py rollback --reason "worse on toys"
  python run.py purge --older-than 90d           remove predictions and feedback older than 90 days
  python run.py audit suspects.csv --data DIR    list the labels that are probably wrong
  python run.py stack apply containers           run every step in a container from now on
  python run.py doctor                           show what is installed, where it writes, what is missing
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help with room for the longest verb beside its summary: argparse does not count its indentation."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(map(len, VERBS)) + 2 * self._indent_increment


def main(arguments: list[str]) -> int:
    """Run one verb and return the exit code; `train` is the verb when none is given."""
    if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)):
        return _fail(f"Python 3.11, 3.12 or 3.13 is needed, this is {sys.version.split()[0]}")
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["train", *arguments]
    options = _parse(arguments)

    from ledger.location import absolute
    from state.folder import State, StateError
    from state.private import keep_private
    from terminal.errors import CommandError
    from terminal.interruption import INTERRUPTED, INTERRUPTED_CODE

    try:
        keep_private()
        state = State.chosen(options.state)
        state.enter()
        os.environ.update({name: absolute(os.environ[name]) for name in ADDRESSES if name in os.environ})
        code: int = getattr(_module(options.verb), options.verb)(state, options)
    except (CommandError, StateError) as error:
        return _fail(str(error))
    except OSError as error:
        what = f"{error.filename} cannot be used: {error.strerror}" if error.filename else str(error)
        return _fail(f"{what}; 'python run.py doctor' shows what is wrong")
    except ModuleNotFoundError as error:
        return _fail(
            f"{error.name} is not installed here; 'make install' sets up .venv, '.venv/bin/python run.py' uses it"
        )
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, INTERRUPTED_CODE)
    return code


def _parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line. Only the module of its verb is loaded; the usage that an error shows is the verb's."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__, epilog=EXAMPLES, formatter_class=_Help)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    parsers = {verb: verbs.add_parser(verb, help=summary) for verb, summary in VERBS.items()}
    if arguments[0] in VERBS:
        _module(arguments[0]).add_options(parsers[arguments[0]])
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parsers[options.verb].error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.verb == "watch":  # a wrong option of a training is reported now, not at the first alert
        _module("train").add_options(parsers["train"])
        options.retraining = parsers["train"].parse_args(options.train_options)
    return options


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"commands.{verb}")


def _fail(message: str, exit_code: int = 1) -> int:
    sys.stderr.write(f"error: {message}\n")
    return exit_code


if __name__ == "__main__":
    prepare_output()
    sys.exit(main(sys.argv[1:]))
