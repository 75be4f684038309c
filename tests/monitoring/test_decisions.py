"""One retraining an alert, a cool-down, a budget; and none of it is forgotten when the process ends."""

import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.decisions import Rules
from monitoring.record import Record, RecordError, RunFailed
from tests.monitoring.watching import Clock, Desk, alert, no_room_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "decisions.jsonl", Clock(), Rules(cool_down=timedelta(hours=6), daily_budget=3))


@pytest.fixture
def hasty(tmp_path: Path) -> Desk:
    """Without a cool-down, so that the budget alone holds it."""
    return Desk(tmp_path / "decisions.jsonl", Clock(), Rules(cool_down=timedelta(0), daily_budget=3))


def test_the_same_alert_ten_times_starts_one_retraining(desk: Desk) -> None:
    decisions = Counter(desk.decision() for _ in range(10))
    assert decisions == {"started": 1, "duplicate": 9}


def test_the_same_alert_is_known_after_its_retraining_and_after_days(desk: Desk) -> None:
    desk.decide(alert())
    desk.finish()
    desk.clock.pass_(days=9)
    assert desk.decision() == "duplicate"


@pytest.mark.parametrize("written", ["2026-03-04T12:00:00+01:00", "2026-03-04T11:00:00.000000001Z"])
def test_the_beginning_of_an_alert_is_a_moment_and_not_a_text(desk: Desk, written: str) -> None:
    desk.decide(alert(starts_at="2026-03-04T11:00:00Z"))
    desk.finish()
    desk.clock.pass_(days=1)
    assert desk.decision(starts_at=written) == "duplicate"


def test_of_several_alerts_in_one_webhook_one_starts(desk: Desk) -> None:
    decided = desk.decide(alert("aa"), alert("aa"), alert("bb"))
    assert [entry.decision for entry in decided] == ["started", "duplicate", "already_running"]


def test_never_two_at_a_time_however_long_the_first_takes(desk: Desk) -> None:
    desk.decide(alert("aa"))
    desk.clock.pass_(days=2)
    assert desk.decision(fingerprint="bb") == "already_running"


def test_the_cool_down_begins_when_a_retraining_ends_and_holds_after_a_failure(desk: Desk) -> None:
    desk.decide(alert("aa"))
    desk.clock.pass_(hours=5)
    desk.finish("failed")
    desk.clock.pass_(hours=5, minutes=59)
    held = desk.decide(alert("bb"))[0]
    assert held.decision == "cooling_down"
    assert "2026-03-04 23:00:00 UTC" in held.reason
    desk.clock.pass_(minutes=1)
    assert desk.decision(fingerprint="bb") == "started", "what was held back is not forgotten for ever"


def test_an_alert_that_fires_anew_may_retrain_again_and_one_that_flaps_may_not(desk: Desk) -> None:
    desk.decide(alert())
    desk.finish()
    for minute in range(1, 30):
        desk.clock.pass_(minutes=1)
        assert desk.decision(starts_at=f"2026-03-04T12:{minute:02}:00Z") == "cooling_down"
    desk.clock.pass_(hours=6)
    assert desk.decision(starts_at="2026-03-04T18:30:00Z") == "started"


def test_the_budget_is_one_of_days_in_utc(hasty: Desk) -> None:
    hasty.clock.now = datetime(2026, 3, 4, 0, 30, tzinfo=UTC)
    for number in range(3):
        assert hasty.decision(fingerprint=f"a{number}") == "started"
        hasty.finish()
    hasty.clock.now = datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC)
    spent = hasty.decide(alert("b0"))[0]
    assert (spent.decision, spent.reason) == ("over_budget", "3 of 3 retrainings of this day (UTC) are used")
    hasty.clock.pass_(seconds=1)
    assert hasty.decision(fingerprint="b0") == "started"


def test_a_budget_of_none_never_retrains(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "decisions.jsonl", Clock(), Rules(daily_budget=0))
    assert desk.decision() == "over_budget"


def test_what_is_resolved_or_does_not_ask_for_it_starts_nothing(desk: Desk) -> None:
    assert desk.decide(alert() | {"status": "resolved"})[0].decision == "resolved"
    assert desk.decision(action="page") == "ignored"
    unlabelled = alert()
    del unlabelled["labels"]["action"]
    assert desk.decide(unlabelled)[0].decision == "ignored"
    assert desk.record.started == {}


def test_a_restart_forgets_neither_alerts_nor_cool_down_nor_budget(hasty: Desk) -> None:
    for number in range(3):
        hasty.decide(alert(f"a{number}"))
        hasty.finish()
    hasty.restart()
    assert hasty.decision(fingerprint="a0") == "duplicate"
    assert hasty.decision(fingerprint="b0") == "over_budget"
    hasty.rules = Rules(cool_down=timedelta(hours=30), daily_budget=99)
    hasty.clock.pass_(hours=29)
    assert hasty.decision(fingerprint="b0") == "cooling_down"


def test_a_retraining_without_an_end_is_still_unfinished_after_a_restart(desk: Desk) -> None:
    started = desk.decide(alert())[0]
    desk.restart()
    assert desk.record.unfinished == started


def test_two_services_cannot_hold_one_record(desk: Desk) -> None:
    with pytest.raises(RecordError, match="another monitor service is at work"):
        Record(desk.path)


def test_a_line_that_was_being_written_is_left_out_and_the_next_is_whole(desk: Desk) -> None:
    desk.decide(alert("aa"))
    desk.finish()
    with desk.path.open("ab") as file:
        file.write(b'{"kind": "decided", "at"')
    desk.restart()
    desk.clock.pass_(days=1)
    assert desk.decision(fingerprint="aa") == "duplicate"
    assert all(json.loads(line) for line in desk.path.read_text().splitlines())


def test_a_record_that_cannot_be_understood_is_not_passed_over(desk: Desk) -> None:
    desk.decide(alert())
    desk.record.close()
    desk.path.write_text("nonsense\n" + desk.path.read_text())
    with pytest.raises(RecordError, match=r"line 1 of .* move the file away"):
        Record(desk.path)


def test_a_decision_that_cannot_be_stored_is_none(desk: Desk) -> None:
    desk.decide(alert() | {"status": "resolved"})
    before = desk.path.read_bytes()
    with no_room_for(desk.path), pytest.raises(RecordError, match="cannot be written"):
        desk.decide(alert())
    assert desk.path.read_bytes() == before
    assert desk.decision() == "started", "and when there is room again it can be made"


WRITING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from monitoring.record import Record, RunFailed
record = Record(Path(sys.argv[1]))
for number in range(1_000_000):
    record.append(RunFailed(at=datetime.now(UTC), reason=str(number)))
    print(number, flush=True)
"""


def test_what_was_stored_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", WRITING, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(150)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.read().split()
    writer.wait()
    record = Record(path)
    kept = [entry.reason for entry in record.failed_runs]
    assert acknowledged[-1] in kept[-2:], "the last that was acknowledged, or one that was stored after it"
    record.append(RunFailed(at=datetime.now(UTC), reason="and on"))
    record.close()
    assert Record(path).failed_runs[-1].reason == "and on"


def test_an_alert_about_another_model_is_not_meant(tmp_path: Path) -> None:
    rules = Rules(cool_down=timedelta(0), daily_budget=3, model_name="rakuten")
    desk = Desk(tmp_path / "decisions.jsonl", Clock(), rules)
    (other,) = desk.decide(alert("aa", model_name="toys"))
    assert other.decision == "ignored"
    assert "'toys'" in other.reason
    assert [entry.decision for entry in desk.decide(alert("bb", model_name="rakuten"))] == ["started"]
