"""What `run.py score` does: files with a journal, or a stream without one."""

import sys
from argparse import Namespace
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO

from commands.score.progress import Progress
from commands.serve.release import Release
from scoring.answers import REJECTED, answer_columns, header
from scoring.catalogue import Format, find_files, open_file
from scoring.columns import Wanted
from scoring.job import Job, JobError
from scoring.journal import Totals
from scoring.local import score, score_into
from scoring.place import replacing
from scoring.run import Score, run
from scoring.scorer import Task
from scoring.shards import cut, cut_stream
from terminal.console import announce
from terminal.errors import CommandError
from terminal.tables import show_rows

STREAM = "-"
_MOST_TOP = 10


def score_files(options: Namespace, release: Release) -> Totals:
    """Score files into a file or a folder, with a journal."""
    task = _task(options, release)
    with announce("reading what is to be scored"):
        files = [open_file(address, _wanted(options)) for address in find_files(options.input)]
    with Progress(sum(file.size for file in files)) as progress:
        job = Job(options.output, task)
        return run(job, files, release.tag, options.shard_rows, _engine(options, job, task), progress)


def _engine(options: Namespace, job: Job, task: Task) -> Score:
    if options.engine == "local":
        return partial(score_into, job, task, workers=options.workers)
    from scoring import cluster

    return partial(cluster.score_into, job, task, scheduler=options.scheduler)


def score_stream(options: Namespace, release: Release) -> Totals:
    """Score csv from standard input, or to standard output, or both; in the order of the rows, without a journal."""
    wanted, totals, task = _wanted(options), Totals(), _task(options, release)
    if options.input == STREAM:
        shards = cut_stream("standard input", sys.stdin.buffer, wanted, options.shard_rows)
    else:
        shards = cut([open_file(address, wanted) for address in find_files(options.input)], options.shard_rows)
    with ExitStack() as stack:
        answers: IO[bytes] = stack.enter_context(open(1, "wb", closefd=False))
        rejected: IO[bytes] = stack.enter_context(open(2, "wb", closefd=False))
        if options.output != STREAM:
            if Path(options.output).exists():
                raise JobError(f"{options.output} exists already: name another output, or remove it")
            answers = stack.enter_context(replacing(Path(options.output)))
            rejected = stack.enter_context(replacing(Path(f"{options.output}.rejected.csv")))
        answers.write(header(list(task.columns)))
        for part in score(task, shards, options.workers):
            if part.rejected and not totals.rejected:
                rejected.write(header(REJECTED))
            answers.write(part.answers)
            answers.flush()
            rejected.write(part.rejected)
            totals.add(part.entry)
    return totals


def show(totals: Totals, options: Namespace, release: Release, seconds: float) -> None:
    """Print what came of a run, unless the answers went to standard output."""
    if options.output == STREAM:
        return
    rows = max(totals.rows, 1)
    rejected = f"{totals.rejected:,}"
    if totals.rejected:
        rejected += f", {totals.rejected_share:.2%} of all rows: {options.output.rstrip('/')}.rejected.csv"
    show_rows(
        {
            "Rows scored": f"{totals.rows:,}",
            "Rejected": rejected,
            "Abstained": f"{totals.abstained:,} ({totals.abstained / rows:.1%})",
            "Types": f"{len(totals.types):,}",
            "Model": f"version {release.version.number}, Bento {release.tag}",
            "Answers": options.output,
            "Time": f"{seconds:,.0f} s",
        }
    )


def _wanted(options: Namespace) -> Wanted:
    return Wanted(options.title, options.description, options.id, tuple(options.keep))


def _task(options: Namespace, release: Release) -> Task:
    """Return what the processes have to do. Raises `CommandError`."""
    if (options.engine == "dask") != bool(options.scheduler):
        raise CommandError("--engine dask and --scheduler ADDRESS belong together")
    if options.engine == "dask" and STREAM in (options.input, options.output):
        raise CommandError("--engine dask needs files that all machines reach, not -")
    if options.top > _MOST_TOP:
        raise CommandError(f"--top may be {_MOST_TOP} at most")
    suffix = Path(options.output).suffix
    in_folder = options.output != STREAM and suffix not in (".csv", ".parquet")
    if options.format and not in_folder:
        raise CommandError("--format belongs to a folder; the name of a file says its format")
    if STREAM in (options.input, options.output) and (in_folder or suffix == ".parquet"):
        raise CommandError("with - the answers are csv: name - or a .csv file as the output")
    kind: Format = options.format or ("parquet" if in_folder or suffix == ".parquet" else "csv")
    task = Task(release.model, release.bento / "src", kind, options.top, tuple(options.keep), header=in_folder)
    own = answer_columns(options.top, ())
    for name in options.keep:
        if name in own or options.keep.count(name) > 1:
            raise CommandError(f"--keep {name}: the answers have a column of that name already; rename yours")
    return task
