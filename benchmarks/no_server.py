"""The same work with no server: processes of `benchmarks.in_process`, and what was measured of them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load import Load
from benchmarks.processes import ROOT, ServiceError, process, tail


@dataclass(frozen=True)
class Rate:
    """Listings a second, and the processor time of one in microseconds."""

    per_second: float
    microseconds: float


@dataclass(frozen=True)
class Alone:
    """A predictor and nothing else: its rate when it is asked for one listing after another, and for batches."""

    one_by_one: Rate
    in_batches: Rate


@dataclass
class NoServer:
    """Processes that do the work of as many workers. `loads`: by number of tasks in all of them together."""

    processes: Sequence["subprocess.Popen[bytes]"]
    loads: dict[int, list[Load]] = field(default_factory=dict)
    classifies: bool = True

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"no server, {self.workers} process{'es' if self.workers > 1 else ''}"

    @property
    def workers(self) -> int:
        """The number of processes."""
        return len(self.processes)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, environment: Mapping[str, str], bodies: Path, number: int) -> "Iterator[NoServer]":
        """Start the processes, one after another, and always end them. Raises `ServiceError`."""
        folder.mkdir()
        command = [sys.executable, "-m", "benchmarks.in_process", str(bodies), str(number)]
        with ExitStack() as stack:
            started = []
            for index in range(number):
                own = folder / str(index)
                own.mkdir()
                child, log = stack.enter_context(
                    process([*command, str(index)], own, {**environment, "PYTHONPATH": str(ROOT)}, talks=True)
                )
                if _line(child) != b"ready\n":
                    raise ServiceError(f"{' '.join(command)} did not start:\n{tail(log)}")
                started.append(child)
            yield cls(started)

    def drive(self, tasks: int, seconds: float) -> Load:
        """Do the work in a number of tasks, spread over the processes."""
        shares = [len(range(index, tasks, self.workers)) for index in range(self.workers)]
        done = self._ask([{"do": "work", "tasks": share, "seconds": seconds} for share in shares if share])
        return Load(
            answers=sum(each["answers"] for each in done),
            seconds=max(each["seconds"] for each in done),
            p50_ms=max(each["p50_ms"] for each in done),
            p99_ms=max(each["p99_ms"] for each in done),
            busy=len(done),
        )

    def classify(self, first: int, listings: int, processes: int) -> "Alone":
        """Return how fast a process classifies, while a number of them do the same: the mean of the processes."""
        done = self._ask([{"do": "classify", "first": first, "listings": listings}] * processes)
        return Alone(
            *(
                Rate(*(sum(each[way][what] for each in done) / processes for what in ("per_second", "microseconds")))
                for way in ("one_by_one", "in_batches")
            )
        )

    def layers(self, listings: int) -> dict[str, float]:
        """Return the microseconds a request of each layer, see `benchmarks.layers`."""
        return dict(self._ask([{"do": "layers", "listings": listings}])[0])

    def _ask(self, requests: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]:
        """Let the first processes do something at the same time, each what its request says."""
        asked = self.processes[: len(requests)]
        for child, request in zip(asked, requests, strict=True):
            assert child.stdin
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
        answers = [_line(child) for child in asked]
        if not all(answers):
            raise ServiceError("a process without a server has ended; its log is in the folder of the benchmark")
        return [json.loads(answer) for answer in answers]


def _line(child: "subprocess.Popen[bytes]") -> bytes:
    assert child.stdout
    return child.stdout.readline()
