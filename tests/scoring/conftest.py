"""Catalogues, and runs over them with a small packaged model."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from catalog.synthetic import generate
from scoring.job import Job, Totals
from scoring.local import score_into
from scoring.run import run
from scoring.scorer import Entry, Scorer, Task
from scoring.shards import Shard, Wanted, cut, find_files, open_file

ROWS = 40  # of a shard


class Scoring:
    """Runs over catalogues with one model, as `run.py score` does them."""

    def __init__(self, model: Path) -> None:
        self.model = model
        self.done: list[int] = []  # the shards that the last run has scored

    def task(self, out: Path, **changes: object) -> Task:
        kind = "csv" if out.suffix == ".csv" else "parquet"
        given = {"format": kind, "top": 1, "keep": (), "header": not out.suffix, **changes}
        return Task(self.model, None, **given)  # type: ignore[arg-type]

    def shards(self, catalogue: Path, **columns: object) -> Iterable[Shard]:
        wanted = Wanted(**columns)  # type: ignore[arg-type]
        return cut([open_file(address, wanted) for address in find_files(str(catalogue))], ROWS)

    def run(self, catalogue: Path, out: Path, *, workers: int = 0, rows: int = ROWS, **changes: object) -> Totals:
        """Score a catalogue: in this process, or with so many workers."""
        task = self.task(out, **changes)
        files = [open_file(address, Wanted(keep=task.keep)) for address in find_files(str(catalogue))]
        job = Job(str(out), task)

        def here(shards: Iterable[Shard]) -> Iterator[Entry]:
            for part in map(Scorer(task).score, shards):
                job.store(part)
                yield part.entry

        def noted(shards: Iterable[Shard]) -> Iterator[Entry]:
            for entry in score_into(job, task, shards, workers) if workers else here(shards):
                self.done.append(entry.shard)
                yield entry

        self.done = []
        return run(job, files, "rakuten:7", rows, noted, Unseen())


class Unseen:
    """A watcher who does nothing."""

    def skip(self, shard: Shard) -> None: ...
    def expect(self, shard: Shard) -> None: ...
    def advance(self, entry: Entry) -> None: ...


@pytest.fixture
def scoring(model_folder: Path) -> Scoring:
    return Scoring(model_folder)


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 listings as csv."""
    path = tmp_path_factory.mktemp("catalogue") / "listings.csv"
    generate(300, seed=5).to_csv(path, index=False)
    return path
