"""`run.py score`: classify a whole catalogue, in files of any size."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_model, add_retention, add_state, taxonomy_in_use
from state.folder import SOURCE_ROOT, State
from terminal.console import announce
from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from commands.serve.release import Release
    from scoring.request import ScoringRequest

_HELP = """Classify a catalogue: csv or Parquet files in, an answer for each row out. The answers are those of the
service, from the same packaged model. A row that cannot be used is listed in OUT.rejected.csv with file, line and
reason. A run that was interrupted or killed goes on where it was when the same command is run again."""
_EXAMPLES = """The columns of the challenge are read (an id in `index` or in the first column without a name,
`designation`, `description`); name others with --id, --title, --description. csv is UTF-8 with commas, and not
compressed. OUT is a .csv or .parquet file, or a folder, which then holds the answers as parts. IN and OUT may be
addresses of S3 (s3://BUCKET/KEY). `-` reads csv from standard input, or writes csv to standard output and lists what
cannot be used on standard error. Such a run has no journal: it begins anew.

examples:
  python run.py score catalogue.csv answers.csv
  python run.py score catalogue/ answers/ --format parquet --keep sku --top 3
  python run.py score offers.parquet answers.csv --id sku --title name --description text
  gunzip -c catalogue.csv.gz | python run.py score - - > answers.csv
  python run.py score s3://shop/catalogue s3://shop/answers --engine dask --scheduler tcp://10.0.0.5:8786
"""
_MOST_TOP = 10
_SHARD_ROWS = 5_000
_DRIFT = SOURCE_ROOT / "pipelines" / "configs" / "monitoring.yaml"


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `score`."""
    parser.description, parser.epilog, parser.formatter_class = _HELP, _EXAMPLES, RawDescriptionHelpFormatter
    parser.add_argument("input", metavar="IN", help="a .csv or .parquet file, a folder of them, or -")
    parser.add_argument("output", metavar="OUT", help="a .csv or .parquet file, a folder, or -")
    parser.add_argument("--id", metavar="COLUMN", help="the column that identifies a row (index)")
    parser.add_argument("--title", metavar="COLUMN", help="the column of the title (designation)")
    parser.add_argument("--description", metavar="COLUMN", help="the column of the description (description, if there)")
    parser.add_argument(
        "--keep", metavar="COLUMN", action="append", default=[], help="carry a column through, as text; repeatable"
    )
    parser.add_argument(
        "--top", type=_count, default=1, metavar="N", help=f"the N likeliest types of each row (1; {_MOST_TOP} at most)"
    )
    parser.add_argument("--format", choices=("csv", "parquet"), help="of the parts in a folder (parquet)")
    parser.add_argument(
        "--max-rejected", type=_share, default=0.01, metavar="SHARE",
        help="exit code 1 when a larger share of the rows cannot be used, as 1%% (the default) or 0.01",
    )  # fmt: skip
    parser.add_argument("--version", metavar="N|TAG", help="a version, or the tag of a Bento (default: in production)")
    parser.add_argument("--workers", type=_count, metavar="N", help="processes (one for each core)")
    parser.add_argument(
        "--engine", choices=("local", "dask"), default="local",
        help="the processes of this machine (local), or the workers of a Dask scheduler (dask)",
    )  # fmt: skip
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, as tcp://HOST:8786 or tls://HOST:8786")
    parser.add_argument(
        "--shard-rows", type=_count, default=_SHARD_ROWS, metavar="N", help=f"rows of a part ({_SHARD_ROWS:,})"
    )
    parser.add_argument(
        "--pipeline", action="store_true",
        help="score as a ZenML pipeline on the active stack, by its schedule if it has one, and measure the drift of "
        "the catalogue; {date} in IN and OUT is then the day of the run (UTC)",
    )  # fmt: skip
    parser.add_argument(
        "--config", type=Path, default=_DRIFT, metavar="FILE",
        help=f"with --pipeline: rules of drift (pipelines/configs/{_DRIFT.name})",
    )  # fmt: skip
    parser.add_argument("--verbose", action="store_true", help="with --pipeline: show ZenML's log")
    add_retention(parser)
    add_model(parser)
    add_state(parser)


def score(state: State, options: Namespace) -> int:
    """Score a catalogue; exit code 1 when more rows were rejected than the options allow."""
    started = monotonic()
    if (options.engine == "dask") != bool(options.scheduler):
        raise CommandError("--engine dask and --scheduler ADDRESS belong together")
    if options.top > _MOST_TOP:
        raise CommandError(f"--top may be {_MOST_TOP} at most")
    state.prepare()
    from scoring.request import STREAM, RequestError, ScoringRequest

    request = ScoringRequest(
        input=_absolute(options.input), output=_absolute(options.output), title=options.title,
        description=options.description, id=options.id, keep=tuple(options.keep), top=options.top,
        format=options.format, shard_rows=options.shard_rows, workers=options.workers, scheduler=options.scheduler,
    )  # fmt: skip
    if options.pipeline:
        from commands.score.piped import score_in_pipeline

        if options.version is not None:
            raise CommandError(
                "--pipeline scores with the version in production; --version belongs to a run without it"
            )
        with reported(RequestError):
            return score_in_pipeline(state, request, options, started)
    if options.output == STREAM:  # only answers go there
        sys.stdout = sys.stderr
    return _score_here(request, options, started)


def _score_here(request: "ScoringRequest", options: Namespace, started: float) -> int:
    from botocore.exceptions import BotoCoreError

    from catalog.model_folder import Manifest
    from catalog.sentence_vectors import EncoderError, require_encoder
    from commands.score.outcome import require_few_rejected, show
    from commands.score.running import score_files, score_stream
    from scoring.catalogue import find_files
    from scoring.columns import CatalogueError
    from scoring.job import JobError
    from scoring.lease import OccupiedError
    from scoring.place import AddressError
    from scoring.request import STREAM, RequestError
    from scoring.scorer import BentoError

    run = score_stream if STREAM in (request.input, request.output) else score_files
    expected = (
        AddressError, BentoError, BotoCoreError, CatalogueError, EncoderError, JobError, OccupiedError, RequestError,
    )  # fmt: skip
    with reported(*expected):
        request.task(SOURCE_ROOT)  # a mistake is named before libraries are loaded
        if request.input != STREAM:
            find_files(request.input)
        release = _release(options)
        if encoder := Manifest.verified(release.model).encoder:
            require_encoder(encoder)
        totals = run(request, release)
    if request.output != STREAM:
        show(totals, request, f"version {release.version.number}, Bento {release.tag}", monotonic() - started)
    require_few_rejected(totals.rejected_share, options.max_rejected)
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
        with reported(registry.NothingInProductionError):
            return prepare(registry.in_production(name))
    model, _, _ = asked.rpartition(":")
    version = registry.by_tag(model, "bento_tag", asked) if model else registry.find_number(name, asked)
    if version is None:
        raise CommandError(
            f"the registry has no version {asked!r}; 'python run.py models' lists the versions of '{name}'"
        )
    return prepare(version)


def _absolute(address: str) -> str:
    return address if address == "-" or "://" in address else os.path.abspath(address)


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
