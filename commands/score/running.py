"""What `run.py score` does: files with a journal, or a stream without one."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from commands.score.progress import Progress
from commands.serve.release import Release
from scoring.answers import REJECTED, header
from scoring.job import JobError
from scoring.journal import Totals
from scoring.local import score
from scoring.place import replacing
from scoring.request import STREAM, ScoringRequest
from scoring.request import score_files as score_request
from scoring.shards import cut, cut_stream
from terminal.console import announce, console


def score_files(request: ScoringRequest, release: Release) -> Totals:
    """Score files into a file or a folder, with a journal."""
    with announce("reading what is to be scored"):
        files = request.files()
    with Progress(sum(file.size for file in files)) as progress:
        try:
            return score_request(request, files, release.source, release.tag, progress)
        except KeyboardInterrupt:
            console().print("What is done is kept: the same command goes on.")
            raise


def score_stream(request: ScoringRequest, release: Release) -> Totals:
    """Score csv from standard input, or to standard output, or both; in the order of the rows, without a journal."""
    totals, task = Totals(), request.task(release.source)
    if request.input == STREAM:
        shards = cut_stream("standard input", sys.stdin.buffer, request.wanted, request.shard_rows)
    else:
        shards = cut(request.files(), request.shard_rows)
    try:
        with ExitStack() as stack:
            answers: IO[bytes] = stack.enter_context(open(1, "wb", closefd=False))
            rejected: IO[bytes] = stack.enter_context(open(2, "wb", closefd=False))
            if request.output != STREAM:
                if Path(request.output).exists():
                    raise JobError(f"{request.output} exists already: name another output, or remove it")
                answers = stack.enter_context(replacing(Path(request.output)))
                rejected = stack.enter_context(replacing(Path(f"{request.output}.rejected.csv")))
                rejected.write(header(REJECTED))
            answers.write(header(list(task.columns)))
            for part in score(task, shards, request.processes):
                answers.write(part.answers)
                answers.flush()
                rejected.write(part.rejected)
                rejected.flush()
                totals.add(part.entry)
    except BrokenPipeError as error:
        raise JobError("what reads the answers has ended, so this run ends too") from error
    return totals
