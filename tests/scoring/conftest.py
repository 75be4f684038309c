"""Catalogues, and runs over them with a small packaged model."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from catalog.synthetic import generate
from scoring.catalogue import find_files, open_file
from scoring.columns import Wanted
from scoring.job import Job
from scoring.journal import Entry, Totals
from scoring.run import Unwatched, run
from scoring.scorer import Scorer, Task
from scoring.shards import Shard, cut
from tests.conftest import ROOT

ROWS = 40  # of a shard


scorer = cache(Scorer)
Engine = Callable[[Job, Task, Iterable[Shard]], Iterator[Entry]]


def here(job: Job, task: Task, shards: Iterable[Shard]) -> Iterator[Entry]:
    """Score in this process."""
    for part in map(scorer(task).score, shards):
        job.store(part)
        yield part.entry


class Scoring:
    """Runs over catalogues with one model, as `run.py score` does them."""

    def __init__(self, source: Path) -> None:
        self.source = source  # of the Bento
        self.done: list[int] = []  # the shards that the last run has scored

    def task(self, out: Path, **changes: object) -> Task:
        kind = "csv" if out.suffix == ".csv" else "parquet"
        given = {"format": kind, "top": 1, "keep": (), "header": not out.suffix, **changes}
        return Task(self.source / "model", self.source, **given)  # type: ignore[arg-type]

    def shards(self, catalogue: Path, **columns: object) -> Iterable[Shard]:
        wanted = Wanted(**columns)  # type: ignore[arg-type]
        return cut([open_file(address, wanted) for address in find_files(str(catalogue))], ROWS)

    def run(
        self, catalogue: Path | str, out: Path | str, *, engine: Engine = here, rows: int = ROWS, **changes: object
    ) -> Totals:
        """Score a catalogue with an engine: by default in this process."""
        task = self.task(Path(out), **changes)
        files = [open_file(address, Wanted(keep=task.keep)) for address in find_files(str(catalogue))]
        job = Job(str(out), task)

        def noted(shards: Iterable[Shard]) -> Iterator[Entry]:
            for entry in engine(job, task, shards):
                self.done.append(entry.shard)
                yield entry

        self.done = []
        return run(job, files, "rakuten:7", rows, noted, Unwatched())


@pytest.fixture(scope="session")
def source(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and the code of this project, as a Bento has them."""
    folder = tmp_path_factory.mktemp("bento")
    (folder / "model").symlink_to(model_folder)
    (folder / "catalog").symlink_to(ROOT / "catalog")
    return folder


@pytest.fixture
def scoring(source: Path) -> Scoring:
    return Scoring(source)


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 listings as csv."""
    path = tmp_path_factory.mktemp("catalogue") / "listings.csv"
    generate(300, seed=5).to_csv(path, index=False)
    return path
