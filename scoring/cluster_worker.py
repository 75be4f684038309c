"""What a worker of Dask does: it answers shards with the model of a run, which it fetches once."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from scoring.bundle import unpack
from scoring.job import Job, JobError
from scoring.journal import Entry
from scoring.scorer import Scorer, Task
from scoring.shards import Shard

_lock = Lock()  # Python classifies one listing at a time, however many threads a worker has
_scorer: tuple[str, Task, Scorer] | None = None  # of the last run


@dataclass(frozen=True)
class Assignment:
    """What the workers of a run need: its id, its output, its task, the SHA-256 of its bundle and of this code."""

    run: str
    job: Job
    task: Task
    bundle: str
    code: str


def answer(assignment: Assignment, shard: Shard) -> Entry:
    """Store the part of a shard and return its entry. To do it twice changes nothing.

    Raises `JobError` for a worker with other code, and what `Scorer` raises.
    """
    if assignment.code != code_digest():
        raise JobError("a worker has another version of this project: start all workers with the same one")
    with _lock:
        part = _scorer_of(assignment).score(shard)
    assignment.job.store(part)
    return part.entry


def code_digest() -> str:
    """Return what identifies the code of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _scorer_of(assignment: Assignment) -> Scorer:
    global _scorer
    if _scorer is None or _scorer[:2] != (assignment.bundle, assignment.task):
        folder = unpack(assignment.job.place, assignment.bundle)
        try:
            task = replace(assignment.task, model=folder / "model", code=folder)
            _scorer = assignment.bundle, assignment.task, Scorer(task)
        finally:
            shutil.rmtree(folder)  # it is in memory, or mapped
    return _scorer[2]
