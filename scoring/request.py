"""What a person asks for: which catalogue, where the answers go, and how."""

import os
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from scoring.answers import answer_columns
from scoring.catalogue import CatalogueFile, Format, find_files, open_file
from scoring.columns import Wanted
from scoring.job import Job
from scoring.journal import Totals
from scoring.run import Score, Watcher, run
from scoring.scorer import Task

STREAM = "-"
SHARD_ROWS = 5_000


class RequestError(ValueError):
    """A request contradicts itself. The message names the options of `run.py score`."""


class ScoringRequest(BaseModel):
    """A catalogue to score. `workers` None: a process for each core. `scheduler`: of Dask, whose workers score it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str
    output: str
    title: str | None = None
    description: str | None = None
    id: str | None = None
    keep: tuple[str, ...] = ()
    top: int = Field(1, ge=1)
    format: Format | None = None
    shard_rows: int = Field(SHARD_ROWS, ge=1)
    workers: int | None = Field(None, ge=1)
    scheduler: str | None = None

    @property
    def wanted(self) -> Wanted:
        """The columns that are named."""
        return Wanted(self.title, self.description, self.id, self.keep)

    @property
    def processes(self) -> int:
        """How many processes score on this machine."""
        return self.workers or os.cpu_count() or 1

    def of_day(self, day: datetime) -> Self:
        """Return the request with the date in the place of `{date}` in its addresses."""
        filled = {name: getattr(self, name).replace("{date}", f"{day:%F}") for name in ("input", "output")}
        return self.model_copy(update=filled)

    def task(self, source: Path) -> Task:
        """Return what the processes have to do, with the source folder of a Bento. Raises `RequestError`."""
        suffix = Path(self.output).suffix
        in_folder = self.output != STREAM and suffix not in (".csv", ".parquet")
        streamed = STREAM in (self.input, self.output)
        if self.format and not in_folder:
            raise RequestError("--format belongs to a folder; the name of a file says its format")
        if streamed and (in_folder or suffix == ".parquet" or "://" in self.output):
            raise RequestError("with - the answers are csv: name - or a .csv file as the output")
        if streamed and self.scheduler:
            raise RequestError("--engine dask needs files that all machines reach, not -")
        if not streamed and f"{self.output}/".startswith(f"{self.input.rstrip('/')}/"):
            raise RequestError(f"{self.output} is in {self.input}: name an output outside of the input")
        own = answer_columns(self.top, ())
        for name in self.keep:
            if name in own or self.keep.count(name) > 1:
                raise RequestError(f"--keep {name}: the answers have a column of that name already; rename yours")
        kind: Format = self.format or ("parquet" if in_folder or suffix == ".parquet" else "csv")
        return Task(source / "model", source, kind, self.top, self.keep, header=in_folder)

    def files(self) -> list[CatalogueFile]:
        """Return the files of the catalogue. Raises `CatalogueError`."""
        return [open_file(address, self.wanted) for address in find_files(self.input)]

    def engine(self, job: Job, task: Task) -> Score:
        """Return what stores the parts of shards."""
        if self.scheduler is None:
            from scoring.local import score_into

            return partial(score_into, job, task, workers=self.processes)
        from scoring import cluster

        return partial(cluster.score_into, job, task, scheduler=self.scheduler)


def score_files(
    request: ScoringRequest, files: list[CatalogueFile], source: Path, bento: str, watcher: Watcher
) -> Totals:
    """Score the files of a request with the Bento of a tag, whose source folder is given, and return what came of it.

    Raises `RequestError`, and what `scoring.run.run` raises.
    """
    task = request.task(source)
    job = Job(request.output, task)
    return run(job, files, bento, request.shard_rows, request.engine(job, task), watcher)
