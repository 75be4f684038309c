"""The timeline: what happened, in one list, newest first."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.decisions import Rules
from monitoring.entries import FailedRun, Rollback
from monitoring.report_folder import ReportFolder
from monitoring.timeline import Move, read_timeline
from tests.monitoring.watching import NOON, Clock, Scenario, alert


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Scenario]:
    scenario = Scenario(tmp_path / "journal.db", Clock(), Rules(cool_down=timedelta(0)))
    yield scenario
    scenario.journal.close()


@pytest.fixture
def folder(tmp_path: Path) -> ReportFolder:
    return ReportFolder(tmp_path)


def move(minutes: int, **changes: str | None) -> Move:
    content = {"id": "e1", "action": "promotion", "version": "2", "left": "1", "reason": "better", "by": None}
    return Move.model_validate(content | {"at": NOON + timedelta(minutes=minutes)} | changes)


def test_everything_is_in_one_list_newest_first(scenario: Scenario, folder: ReportFolder) -> None:
    line = '{"run": "r", "at": "2026-03-04T11:00:00Z", "model_version": "1", "verdict": "drift", "reasons": ["Moved."]}'
    (folder.path / "history.jsonl").write_text(f"{line}\n")
    scenario.decide(alert())
    scenario.clock.pass_(minutes=1)
    scenario.decide(alert("bb"))
    scenario.clock.pass_(minutes=1)
    scenario.finish("promoted")
    scenario.journal.append(FailedRun(at=NOON + timedelta(minutes=3), reason="the ledger does not answer"))
    retraining = "retraining 20260304T120000-a1b2c3d4e5f60718"
    assert [
        (event.kind, event.outcome, event.text) for event in read_timeline(scenario.journal, folder, [move(2)], 9)
    ] == [
        ("report", "failed", "A monitoring run failed: the ledger does not answer"),
        ("retraining", "promoted", "Retraining ended: a reason"),
        ("promotion", "done", "Version 2 is in production (before: version 1): better"),
        ("alert", "already_running", f"Alert Drift: {retraining} is under way"),
        ("retraining", "started", "Retraining started, by alert Drift: a new alert that asks for a retraining"),
        ("alert", "started", "Alert Drift: a new alert that asks for a retraining"),
        ("report", "drift", "Report on version 1. Moved."),
    ]
    newest = read_timeline(scenario.journal, folder, [], 1)
    assert [event.outcome for event in newest] == ["failed"]


def test_links_lead_to_pages_that_exist(scenario: Scenario, folder: ReportFolder) -> None:
    lines = (f'{{"at": "2026-03-04T11:00:00Z", "verdict": "ok", "html": "{name}.html"}}\n' for name in ("kept", "gone"))
    (folder.path / "history.jsonl").write_text("".join(lines))
    (folder.path / "kept.html").write_text("")
    (started,) = scenario.decide(alert())
    folder.retraining_log(str(started.retraining)).write_text("")
    links = {event.link for event in read_timeline(scenario.journal, folder, [], 9)}
    assert links == {f"/reports/retraining-{started.retraining}.log", "/reports/kept.html", None}


def test_a_repeated_alert_is_no_event(scenario: Scenario, folder: ReportFolder) -> None:
    for _ in range(5):
        scenario.decide(alert())
    assert [event.kind for event in read_timeline(scenario.journal, folder, [], 9)] == ["retraining", "alert"]


def test_a_rollback_in_the_journal_and_in_the_log_is_one_event(scenario: Scenario, folder: ReportFolder) -> None:
    for entry in ("e1", "e2"):
        scenario.journal.append(
            Rollback(at=NOON, asked_by="ada", reason="worse on toys", before="2", after="1", entry=entry)
        )
    logged = move(0, action="rollback", version="1", left="2", reason="worse on toys", by="ada")
    events = read_timeline(scenario.journal, folder, [logged], 9)
    expected = ("rollback", "Back to version 1 (before: version 2), asked for by ada: worse on toys")
    assert [(event.kind, event.text) for event in events] == [expected, expected], "e1 is in both, e2 in one"
