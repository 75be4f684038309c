"""`run.py score`: classify a whole catalogue, in files of any size."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_model, add_state, taxonomy_in_use
from state.folder import State
from terminal.console import announce
from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from commands.serve.release import Release

_HELP = """Classify a catalogue: csv or Parquet files in, an answer for each row out. The answers are those of the
service, from the same packaged model. A row that cannot be used is listed in OUT.rejected.csv with file, line and
reason. A run that was interrupted or killed goes on where it was when the same command is run again."""
_EXAMPLES = """The columns of the challenge are read (an id in `index` or in the first column without a name,
`designation`, `description`); name others with --id, --title, --description. OUT is a .csv or .parquet file, or a
folder, which then holds the answers as parts. `-` reads csv from standard input, or writes csv to standard output:
without a journal, so such a run begins anew.

examples:
  python run.py score catalogue.csv answers.csv
  python run.py score catalogue/ answers/ --format parquet --keep sku --top 3
  python run.py score offers.parquet answers.csv --id sku --title name --description text
  gunzip -c catalogue.csv.gz | python run.py score - - > answers.csv
"""
_SHARD_ROWS = 5_000


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `score`."""
    parser.description, parser.epilog, parser.formatter_class = _HELP, _EXAMPLES, RawDescriptionHelpFormatter
    parser.add_argument("input", metavar="IN", help="a .csv or .parquet file, a folder of them, or -")
    parser.add_argument("output", metavar="OUT", help="a .csv or .parquet file, a folder, or -")
    parser.add_argument("--id", metavar="COLUMN", help="the column that identifies a row (index)")
    parser.add_argument("--title", metavar="COLUMN", help="the column of the title (designation)")
    parser.add_argument("--description", metavar="COLUMN", help="the column of the description (description, if there)")
    parser.add_argument(
        "--keep", metavar="COLUMN", action="append", default=[], help="carry a column through; repeatable"
    )
    parser.add_argument("--top", type=_count, default=1, metavar="N", help="the N likeliest types of each row (1)")
    parser.add_argument("--format", choices=("csv", "parquet"), help="of the parts in a folder (parquet)")
    parser.add_argument(
        "--max-rejected", type=_share, default=0.01, metavar="SHARE",
        help="exit code 1 when a larger share of the rows cannot be used, as 1%% (the default) or 0.01",
    )  # fmt: skip
    parser.add_argument("--version", metavar="N|TAG", help="a version, or the tag of a Bento (default: in production)")
    parser.add_argument(
        "--workers", type=_count, default=os.cpu_count() or 1, metavar="N", help="processes (one for each core)"
    )
    parser.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="the processes of this machine (local), or the workers of a Dask scheduler (dask)",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, as tcp://HOST:8786 or tls://HOST:8786")
    parser.add_argument(
        "--shard-rows", type=_count, default=_SHARD_ROWS, metavar="N", help=f"rows of a part ({_SHARD_ROWS:,})"
    )  # fmt: skip
    add_model(parser)
    add_state(parser)


def score(state: State, options: Namespace) -> int:
    """Score a catalogue; exit code 1 when more rows were rejected than the options allow."""
    state.prepare()
    from commands.score.running import STREAM, score_files, score_stream, show
    from scoring.columns import CatalogueError
    from scoring.job import JobError
    from scoring.lease import OccupiedError
    from scoring.place import AddressError
    from scoring.scorer import BentoError
    from state.lock import LockedError

    started = monotonic()
    if options.output == STREAM:  # only answers go there
        sys.stdout = sys.stderr
    release = _release(options)
    run = score_stream if STREAM in (options.input, options.output) else score_files
    with reported(AddressError, BentoError, CatalogueError, JobError, OccupiedError, LockedError):
        totals = run(options, release)
    show(totals, options, release, monotonic() - started)
    if totals.rejected_share > options.max_rejected:
        raise CommandError(
            f"{totals.rejected_share:.1%} of the rows could not be used, more than --max-rejected "
            f"{options.max_rejected:.1%}; the output is complete without them"
        )
    return 0


def _release(options: Namespace) -> "Release":
    """Return the Bento that answers, which is verified. Raises `CommandError`."""
    from commands.serve.release import prepare

    with announce("connecting to the registry"):
        from stacks.active import connect_tracker

        connect_tracker(quiet=True)
        from tracking import registry
    name = taxonomy_in_use(options).name
    asked: str | None = options.version
    if asked is None:
        return prepare(registry.in_production(name))
    model, _, _ = asked.rpartition(":")
    version = registry.by_tag(model, "bento_tag", asked) if model else registry.find_number(name, asked)
    if version is None:
        raise CommandError(
            f"the registry has no version {asked!r}; 'python run.py models' lists the versions of '{name}'"
        )
    return prepare(version)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _share(text: str) -> float:
    """Return a share, written as 1% or 0.01."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"{text!r} is not a share, as 1% or 0.01")
    return share
