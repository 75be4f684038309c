"""Pieces of a monitor service for tests: alerts, a clock, small programs in the place of long ones."""

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitoring.decisions import Alert, Decider, Rules
from monitoring.entries import AlertDecision, RetrainingEnd, RetrainingOutcome
from monitoring.journal import Journal

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def alert(
    fingerprint: str = "a1b2c3d4e5f60718", starts_at: str = "2026-03-04T11:00:00Z", **labels: str
) -> dict[str, Any]:
    """An alert as Alertmanager sends it; by default it fires and asks for a retraining."""
    return {
        "status": "firing",
        "labels": {"alertname": "Drift", "action": "retrain", **labels},
        "annotations": {"summary": "columns have moved"},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": fingerprint,
    }


def webhook(*alerts: dict[str, Any]) -> dict[str, Any]:
    """What Alertmanager 0.25 sends."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="Drift"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "retrain",
        "groupLabels": {"alertname": "Drift"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
        "alerts": list(alerts),
    }


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Scenario:
    """A decider with its journal, and what ends its retrainings."""

    path: Path
    clock: Clock
    rules: Rules

    def __post_init__(self) -> None:
        self.journal = Journal(self.path)

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path)

    def decide(self, *alerts: dict[str, Any]) -> list[AlertDecision]:
        return Decider(self.journal, self.rules, self.clock).decide([Alert.model_validate(each) for each in alerts])

    def decision(self, **of: str) -> str:
        return self.decide(alert(**of))[0].decision

    def finish(self, outcome: RetrainingOutcome = "refused") -> None:
        job = self.journal.unfinished
        assert job is not None
        assert job.retraining is not None
        end = RetrainingEnd(at=self.clock(), retraining=job.retraining, outcome=outcome, reason="a reason")
        self.journal.append(end)


def python(program: str, *arguments: str) -> list[str]:
    """A command that runs a small program, to which `--json FILE` is added."""
    return [sys.executable, "-c", program, *arguments]


def reporting(**report: Any) -> list[str]:
    """A training that ends at once with this report."""
    content = {"promoted": False, "reason": "", "model_version": "1", "weighted_f1": 0.8} | report
    return python(f"import json, sys; open(sys.argv[-1], 'w').write({json.dumps(content)!r})")


# A training that does not end by itself and has a process of its own beside it; it says so in a file.
ENDLESS = """
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[-1]).with_suffix(".pids").write_text(str(child.pid))
time.sleep(600)
"""


@contextmanager
def failing_writes(beyond: int = 0) -> Iterator[None]:
    """Like a full disk: this process can write nothing beyond that position (in bytes) of any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
