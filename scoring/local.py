"""Scoring on this machine: a process for each core, shards in flight for each, and a death that is said."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from catalog.garbage import keep_what_is_loaded
from scoring.job import Job, JobError
from scoring.journal import Entry
from scoring.scorer import AnsweredRow, Part, Scorer, Task
from scoring.shards import Shard

_AHEAD = 2  # shards that wait for each process
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_scorer: Scorer | None = None  # of a process
_task: Task | None = None
_job: Job | None = None
_Result = TypeVar("_Result")


def score(task: Task, shards: Iterable[Shard], workers: int) -> Iterator[Part]:
    """Yield the part of each shard, in the order of the shards.

    Raises `JobError` when a process dies, and what a shard raises.
    """
    early: dict[int, Part] = {}
    number = 0
    for part in _spread(_score, task, None, shards, workers):
        early[part.entry.shard] = part
        while number in early:
            yield early.pop(number)
            number += 1


def score_into(job: Job, task: Task, shards: Iterable[Shard], workers: int) -> Iterator[Entry]:
    """Store the part of each shard, and yield its entry, in the order in which they are done. Raises as `score`."""
    return _spread(_store, task, job, shards, workers)


def answer_rows(task: Task, shards: Iterable[Shard], workers: int) -> Iterator[list[AnsweredRow]]:
    """Yield the rows of shards with their answers, shard by shard in any order. Raises as `score`."""
    return _spread(_answer_rows, task, None, shards, workers)


def _spread(
    work: Callable[[Shard], _Result], task: Task, job: Job | None, shards: Iterable[Shard], workers: int
) -> Iterator[_Result]:
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # each process has a core
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=(task, job)) as pool:
        waiting: set[Future[_Result]] = set()
        try:
            for shard in shards:
                waiting.add(pool.submit(work, shard))
                while len(waiting) >= _AHEAD * workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool as error:
            raise JobError(
                "a process that scores has died, perhaps for want of memory; what is done is kept: run the same "
                "command again, with fewer --workers if it dies again"
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _prepare(task: Task, job: Job | None) -> None:
    """Note what a new process has to do, and let it end when its parent does."""
    global _task, _job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _task, _job = task, job


def _end_with(parent: "multiprocessing.process.BaseProcess") -> None:
    parent.join()
    os._exit(1)


def _scorer_of_process() -> Scorer:
    global _scorer
    if _task is None:
        raise RuntimeError("the process has no task")
    if _scorer is None:
        _scorer = Scorer(_task)
        keep_what_is_loaded()
    return _scorer


def _score(shard: Shard) -> Part:
    return _scorer_of_process().score(shard)


def _answer_rows(shard: Shard) -> list[AnsweredRow]:
    return _scorer_of_process().answer_rows(shard)


def _store(shard: Shard) -> Entry:
    if _job is None:
        raise RuntimeError("the process has no job")
    part = _score(shard)
    _job.store(part)
    return part.entry
