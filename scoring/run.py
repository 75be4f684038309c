"""A run over files: what an earlier one has done is taken up, each shard is stored with its entry, all is joined."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from scoring.job import Job, Totals
from scoring.scorer import Entry
from scoring.shards import CatalogueFile, Shard, cut

Score = Callable[[Iterable[Shard]], Iterable[Entry]]


class Watcher(Protocol):
    """Who is told how far a run is."""

    def skip(self, shard: Shard) -> None:
        """An earlier run has done this shard."""

    def expect(self, shard: Shard) -> None:
        """This shard is to be done."""

    def advance(self, entry: Entry) -> None:
        """A shard is done, and stored."""


def run(job: Job, files: Sequence[CatalogueFile], model: str, rows: int, score: Score, watcher: Watcher) -> Totals:
    """Score files into the job's output and return what came of all of it, the parts of earlier runs included.

    Args:
        job: where the output goes.
        files: the catalogue.
        model: what identifies the model.
        rows: of a shard.
        score: stores the part of each shard and yields its entry, in any order.
        watcher: is told how far the run is.

    Raises `JobError` for the journal of another run, `OccupiedError` and `LockedError` while another run has the
    output, `CatalogueError` for a file that has changed meanwhile, and what `score` raises.
    """
    totals = Totals()
    shards = 0

    def left() -> Iterator[Shard]:
        nonlocal shards
        for shard in cut(files, rows):
            shards += 1
            entry = done.get(shard.number)
            if entry is not None and entry.is_of(shard):
                totals.add(entry)
                watcher.skip(shard)
            else:
                watcher.expect(shard)
                yield shard

    with job.place.held(f"the scoring of {files[0].address}"):
        job.begin(files, model, rows)
        done = job.entries()
        for entry in score(left()):
            totals.add(entry)
            watcher.advance(entry)
        for file in files:
            file.require_unchanged()
        job.finish(shards)
    return totals
