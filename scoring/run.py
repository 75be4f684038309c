"""A run over files: what an earlier one has done is taken up, each shard is stored with its entry, all is joined."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from scoring.catalogue import CatalogueFile
from scoring.job import Job
from scoring.journal import Entry, Totals
from scoring.lease import held
from scoring.shards import Shard, cut

Score = Callable[[Iterable[Shard]], Iterable[Entry]]


class Watcher(Protocol):
    """Who is told how far a run is."""

    def skip(self, shard: Shard) -> None:
        """An earlier run has done this shard."""

    def expect(self, shard: Shard) -> None:
        """This shard is to be done."""

    def advance(self, entry: Entry) -> None:
        """A shard is done, and stored."""


class Unwatched:
    """A watcher who does nothing."""

    def skip(self, shard: Shard) -> None: ...
    def expect(self, shard: Shard) -> None: ...
    def advance(self, entry: Entry) -> None: ...


def run(job: Job, files: Sequence[CatalogueFile], model: str, rows: int, score: Score, watcher: Watcher) -> Totals:
    """Score files into the job's output and return what came of all of it, the parts of earlier runs included.

    Args:
        job: where the output goes.
        files: the catalogue.
        model: what identifies the model.
        rows: of a shard.
        score: stores the part of each shard and yields its entry, in any order.
        watcher: is told how far the run is.

    Raises `JobError` for the journal of another run, `OccupiedError` while another run has the output,
    `CatalogueError` for a file that has changed meanwhile, and what `score` raises.
    """
    totals = Totals()

    def left() -> Iterator[Shard]:
        done = job.entries()
        for shard in cut(files, rows):
            entry = done(shard.number)
            if entry is not None and entry.is_of(shard):
                totals.add(entry)
                watcher.skip(shard)
            else:
                watcher.expect(shard)
                yield shard

    with held(job.place, f"the scoring of {files[0].address}"):
        ended = job.begin(files, model, rows)
        if ended is not None:
            return ended
        for entry in score(left()):
            totals.add(entry)
            watcher.advance(entry)
        for file in files:
            file.require_unchanged()
        job.finish(totals)
    return totals
