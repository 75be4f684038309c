"""Scoring on the machines of a Dask scheduler. Each worker stores its parts where all machines reach them."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from scoring.bundle import pack
from scoring.cluster_worker import Assignment, answer, code_digest
from scoring.job import Job, JobError
from scoring.journal import Entry
from scoring.scorer import Task
from scoring.shards import Shard

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 2  # shards that wait for each thread of a worker
_PATIENCE = 15  # seconds for the scheduler to answer, and for a first worker
_START = "start workers with 'PYTHONPATH=. dask worker {}' in the folder of this project, with its environment"
_NO_CODE = "Error during deserialization"  # how Dask begins the error of a scheduler that lacks a module of ours
_GO_ON = "what is done is kept, and the same command goes on"


def score_into(job: Job, task: Task, shards: Iterable[Shard], scheduler: str) -> Iterator[Entry]:
    """Store the part of each shard, and yield its entry, in the order in which they are done.

    Raises `JobError` when the scheduler cannot be reached or is gone, and when workers cannot do their part;
    `CatalogueError` for a file that one cannot read.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what went wrong is said in a sentence
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise JobError(f"--engine dask needs the package {error.name}: 'make install' installs it") from error
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise JobError(
            f"no scheduler of Dask answers at {scheduler}: start one with 'PYTHONPATH=. dask scheduler', or name it "
            "with --scheduler"
        ) from error
    try:
        yield from _spread(client, job, task, shards, scheduler)
    finally:
        with suppress(OSError, RuntimeError, TimeoutError):  # a client that has lost its scheduler is closing by itself
            client.close(timeout=_PATIENCE)


def _spread(client: "Client", job: Job, task: Task, shards: Iterable[Shard], scheduler: str) -> Iterator[Entry]:
    from distributed import as_completed

    _require_workers(client, scheduler)
    bundle = pack(job.place, task.code)
    assignment = Assignment(uuid4().hex, Job(job.out, task), task, bundle, code_digest())  # without the list of files
    running = as_completed(loop=client.loop, raise_errors=False)
    try:
        for shard in shards:
            name = f"score-{assignment.run}-{shard.number}"
            running.add(client.submit(answer, assignment, shard, key=name, pure=False, retries=2))
            while running.count() >= _AHEAD * max(sum(client.nthreads().values()), 1):
                yield _entry(next(running), scheduler)
        for future in running:
            yield _entry(future, scheduler)
    except (CancelledError, OSError, TimeoutError) as error:
        gone = f"the scheduler at {scheduler} is gone; {_GO_ON} when it is back, or with --engine local"
        raise JobError(gone) from error


def _entry(future: "Future", scheduler: str) -> Entry:
    """Return what came of a shard. Raises what the worker raised; `JobError` for what it could not foresee."""
    from distributed.scheduler import KilledWorker

    try:
        entry: Entry = future.result()
        return entry
    except KilledWorker as error:
        raise JobError(f"several workers died on the same rows, perhaps for want of memory; {_GO_ON}") from error
    except ModuleNotFoundError as error:
        raise JobError(f"a worker does not find {error.name}: {_START.format(scheduler)}") from error
    except RuntimeError as error:
        if not str(error).startswith(_NO_CODE):
            raise
        raise JobError(
            f"the scheduler at {scheduler} has not the code of this project: start it with 'PYTHONPATH=. dask "
            "scheduler' in the folder of the project, with its environment"
        ) from error
    except OSError as error:
        if future.status != "error":  # nothing came of it
            raise
        raise JobError(f"a worker cannot do its part: {error}; {_GO_ON} when it can") from error


def _require_workers(client: "Client", scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise JobError(f"the scheduler at {scheduler} has no workers: {_START.format(scheduler)}") from error
