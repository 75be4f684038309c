"""On a real Dask scheduler with real workers, a catalogue is scored exactly once, whatever ends meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from scoring import cluster
from scoring.job import Job, JobError
from tests.conftest import ROOT
from tests.scoring.conftest import Scoring
from tests.system.workspace import free_port, wait_for

pytestmark = pytest.mark.system
pytest.importorskip("distributed", reason="the extra `dask` is not installed")


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self, folder: Path, path: Path) -> None:
        """`path`: where the scheduler finds Python modules besides those of the environment."""
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self._folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", f"--port={port}", "--host=127.0.0.1", path=path)

    def add_workers(self, count: int) -> None:
        options = ("--nthreads=1", f"--local-directory={self._folder}")
        self.workers += [self._start("worker", self.address, *options) for _ in range(count)]

    def _start(self, what: str, *options: str, path: Path = ROOT) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", what, "--no-dashboard", *options]
        with (self._folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                command, env={**os.environ, "PYTHONPATH": str(path)}, cwd=self._folder, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with its children: a worker has one."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def running(folder: Path, workers: int, path: Path = ROOT) -> Iterator[Cluster]:
    dask = Cluster(folder, path)
    try:
        dask.add_workers(workers)
        yield dask
    finally:
        for process in [*dask.workers, dask.scheduler]:
            kill(process)


def test_a_worker_dies_and_then_the_scheduler_ends_and_the_output_is_complete_and_the_same(
    scoring: Scoring, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 60)
    scoring.run(catalogue, tmp_path / "whole.csv", rows=2)
    out = tmp_path / "out.csv"
    journal = tmp_path / "out.csv.parts" / "_journal"

    with running(tmp_path, workers=3) as dask:

        def disturbed(job: Job, *rest: object) -> Iterator[object]:
            for done, entry in enumerate(cluster.score_into(job, *rest, scheduler=dask.address)):  # type: ignore[arg-type]
                if done == 20:
                    kill(dask.workers[0])
                if done == 60:
                    kill(dask.scheduler)
                yield entry

        gone = "is gone; what is done is kept, and the same command goes on when it is back, or with --engine local"
        with pytest.raises(JobError, match=gone):
            scoring.run(catalogue, out, rows=2, engine=disturbed)  # type: ignore[arg-type]
    done = len(list(journal.glob("*.json")))
    assert 60 < done < 150

    with running(tmp_path, workers=2) as dask:
        totals = scoring.run(catalogue, out, rows=2, engine=partial(cluster.score_into, scheduler=dask.address))
    assert (totals.rows, len(scoring.done)) == (300, 150 - done)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not journal.parent.exists()


def test_what_is_missing_is_named(
    scoring: Scoring, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def message(scheduler: str) -> str:
        with pytest.raises(JobError) as raised:
            scoring.run(catalogue, tmp_path / "out.csv", engine=partial(cluster.score_into, scheduler=scheduler))
        return str(raised.value)

    monkeypatch.setattr(cluster, "_PATIENCE", 2)
    nowhere = f"tcp://127.0.0.1:{free_port()}"
    assert message(nowhere).startswith(f"no scheduler of Dask answers at {nowhere}: start one with 'PYTHONPATH=. dask")
    with running(tmp_path, workers=0) as dask:
        wait_for("the scheduler", lambda: "has no workers" in message(dask.address))
        assert f"start workers with 'PYTHONPATH=. dask worker {dask.address}'" in message(dask.address)
    monkeypatch.setattr(cluster, "_PATIENCE", 60)
    with running(tmp_path, workers=1, path=tmp_path) as dask:
        wait_for("the scheduler and a worker", lambda: "has not the code of this project" in message(dask.address))
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert message(nowhere) == "--engine dask needs the package distributed: 'make install' installs it"
