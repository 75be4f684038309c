"""One retraining per alert, a cool-down and a daily budget, which survive a restart."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.decisions import Budget, Decider, Limit, NotNowError, Rules
from monitoring.entries import RetrainingRequest
from monitoring.journal import JournalError
from tests.monitoring.watching import Clock, Scenario, alert, failing_writes


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return Scenario(tmp_path / "journal.db", Clock(), Rules(cool_down=timedelta(hours=6), daily_budget=3))


@pytest.fixture
def without_cool_down(tmp_path: Path) -> Scenario:
    """Without a cool-down, so that only the budget limits retrainings."""
    return Scenario(tmp_path / "journal.db", Clock(), Rules(cool_down=timedelta(0), daily_budget=3))


def test_the_same_alert_ten_times_starts_one_retraining(scenario: Scenario) -> None:
    decisions = Counter(scenario.decision() for _ in range(10))
    assert decisions == {"started": 1, "duplicate": 9}


def test_the_same_alert_is_known_after_its_retraining_and_after_days(scenario: Scenario) -> None:
    scenario.decide(alert())
    scenario.finish()
    scenario.clock.pass_(days=9)
    assert scenario.decision() == "duplicate"


@pytest.mark.parametrize("days", [1, 14])
def test_an_alert_whose_retraining_failed_starts_another_one_while_it_fires(scenario: Scenario, days: int) -> None:
    scenario.decide(alert())
    scenario.finish("failed")
    assert scenario.decision() == "cooling_down"
    scenario.clock.pass_(days=days)
    again = scenario.decide(alert())[0]
    assert again.decision == "started"
    assert again.reason == "retraining 20260304T120000-a1b2c3d4e5f60718 of this alert failed, and it still fires"
    assert scenario.decision() == "duplicate", "it is under way"
    scenario.finish("refused")
    scenario.clock.pass_(days=days)
    assert scenario.decision() == "duplicate", "it has been served"


def test_an_alert_whose_retrainings_fail_stays_within_the_budget(scenario: Scenario) -> None:
    started = 0
    for _ in range(48):  # every half hour of a day
        decision = scenario.decision()
        started += decision == "started"
        if decision == "started":
            scenario.finish("failed")
        scenario.clock.pass_(minutes=30)
    assert started == 4  # of the cool-down of 6 hours


def test_an_alert_that_ended_is_not_tried_again(scenario: Scenario) -> None:
    scenario.decide(alert())
    scenario.finish("failed")
    scenario.clock.pass_(days=1)
    assert scenario.decide({**alert(), "status": "resolved"})[0].decision == "resolved"


@pytest.mark.parametrize("written", ["2026-03-04T12:00:00+01:00", "2026-03-04T11:00:00.000000001Z"])
def test_start_times_of_alerts_are_compared_as_times_and_not_as_text(scenario: Scenario, written: str) -> None:
    scenario.decide(alert(starts_at="2026-03-04T11:00:00Z"))
    scenario.finish()
    scenario.clock.pass_(days=1)
    assert scenario.decision(starts_at=written) == "duplicate"


def test_of_several_alerts_in_one_webhook_only_one_starts_a_retraining(scenario: Scenario) -> None:
    decided = scenario.decide(alert("aa"), alert("aa"), alert("bb"))
    assert [entry.decision for entry in decided] == ["started", "duplicate", "already_running"]


def test_no_second_retraining_starts_while_one_is_under_way(scenario: Scenario) -> None:
    scenario.decide(alert("aa"))
    scenario.clock.pass_(days=2)
    assert scenario.decision(fingerprint="bb") == "already_running"


def test_the_cool_down_begins_when_a_retraining_ends_and_holds_after_a_failure(scenario: Scenario) -> None:
    scenario.decide(alert("aa"))
    scenario.clock.pass_(hours=5)
    scenario.finish("failed")
    scenario.clock.pass_(hours=5, minutes=59)
    held = scenario.decide(alert("bb"))[0]
    assert held.decision == "cooling_down"
    assert "2026-03-04 23:00:00 UTC" in held.reason
    scenario.clock.pass_(minutes=1)
    assert scenario.decision(fingerprint="bb") == "started", "an alert of the cool-down may start a retraining later"


def test_an_alert_that_fires_again_waits_for_the_cool_down(scenario: Scenario) -> None:
    scenario.decide(alert())
    scenario.finish()
    for minute in range(1, 30):
        scenario.clock.pass_(minutes=1)
        assert scenario.decision(starts_at=f"2026-03-04T12:{minute:02}:00Z") == "cooling_down"
    scenario.clock.pass_(hours=6)
    assert scenario.decision(starts_at="2026-03-04T18:30:00Z") == "started"


def test_the_budget_counts_days_in_utc(without_cool_down: Scenario) -> None:
    without_cool_down.clock.now = datetime(2026, 3, 4, 0, 30, tzinfo=UTC)
    for number in range(3):
        assert without_cool_down.decision(fingerprint=f"a{number}") == "started"
        without_cool_down.finish()
    without_cool_down.clock.now = datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC)
    spent = without_cool_down.decide(alert("b0"))[0]
    assert (spent.decision, spent.reason) == ("over_budget", "3 of 3 retrainings of this day (UTC) are used")
    without_cool_down.clock.pass_(seconds=1)
    assert without_cool_down.decision(fingerprint="b0") == "started"


def test_a_budget_of_zero_never_retrains(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path / "journal.db", Clock(), Rules(daily_budget=0))
    assert scenario.decision() == "over_budget"


def test_resolved_alerts_and_alerts_without_the_action_start_nothing(scenario: Scenario) -> None:
    assert scenario.decide(alert() | {"status": "resolved"})[0].decision == "resolved"
    assert scenario.decision(action="page") == "ignored"
    unlabelled = alert()
    del unlabelled["labels"]["action"]
    assert scenario.decide(unlabelled)[0].decision == "ignored"
    assert scenario.journal.started(1) == []


def test_alerts_cool_down_and_budget_survive_a_restart(without_cool_down: Scenario) -> None:
    for number in range(3):
        without_cool_down.decide(alert(f"a{number}"))
        without_cool_down.finish()
    without_cool_down.restart()
    assert without_cool_down.decision(fingerprint="a0") == "duplicate"
    assert without_cool_down.decision(fingerprint="b0") == "over_budget"
    without_cool_down.rules = Rules(cool_down=timedelta(hours=30), daily_budget=99)
    without_cool_down.clock.pass_(hours=29)
    assert without_cool_down.decision(fingerprint="b0") == "cooling_down"


def test_a_retraining_without_an_end_is_still_unfinished_after_a_restart(scenario: Scenario) -> None:
    started = scenario.decide(alert())[0]
    scenario.restart()
    assert scenario.journal.unfinished == started


def test_a_decision_that_cannot_be_stored_does_not_hold(scenario: Scenario) -> None:
    scenario.decide(alert() | {"status": "resolved"})
    with failing_writes(), pytest.raises(JournalError, match="cannot be written"):
        scenario.decide(alert())
    assert [entry.decision for entry in scenario.journal.decisions(9)] == ["resolved"]
    assert scenario.decision() == "started", "and once writing works again the alert can start a retraining"


def test_an_alert_about_another_model_is_ignored(tmp_path: Path) -> None:
    rules = Rules(cool_down=timedelta(0), daily_budget=3, model_name="rakuten")
    scenario = Scenario(tmp_path / "journal.db", Clock(), rules)
    (other,) = scenario.decide(alert("aa", model_name="toys"))
    assert other.decision == "ignored"
    assert "'toys'" in other.reason
    assert [entry.decision for entry in scenario.decide(alert("bb", model_name="rakuten"))] == ["started"]


def ask(scenario: Scenario) -> RetrainingRequest:
    return Decider(scenario.journal, scenario.rules, scenario.clock).request("ada", "new listings")


def budget(scenario: Scenario) -> Budget:
    return Decider(scenario.journal, scenario.rules, scenario.clock).budget()


def refusal(scenario: Scenario) -> Limit:
    with pytest.raises(NotNowError) as raised:
        ask(scenario)
    return raised.value.limit


def test_a_request_starts_a_retraining_and_is_stored_with_who_asked(scenario: Scenario) -> None:
    asked_for = ask(scenario)
    assert (asked_for.asked_by, asked_for.reason, asked_for.at) == ("ada", "new listings", scenario.clock.now)
    scenario.restart()
    assert scenario.journal.unfinished == asked_for
    assert scenario.decision() == "already_running"


def test_a_request_is_refused_with_the_time_from_which_on_it_may_be_repeated(scenario: Scenario) -> None:
    scenario.decide(alert())
    refused = refusal(scenario)
    assert (refused.verdict, refused.until) == ("already_running", None)
    scenario.finish()
    refused = refusal(scenario)
    assert (refused.verdict, refused.until) == ("cooling_down", scenario.clock.now + timedelta(hours=6))
    scenario.rules = Rules(cool_down=timedelta(0), daily_budget=1)
    refused = refusal(scenario)
    assert (refused.verdict, refused.until) == ("over_budget", datetime(2026, 3, 5, tzinfo=UTC))
    assert [job.retraining for job in scenario.journal.started(9)] == ["20260304T120000-a1b2c3d4e5f60718"]


def test_requests_and_alerts_share_the_budget_and_the_cool_down(scenario: Scenario) -> None:
    assert budget(scenario) == Budget(left_today=3, daily_budget=3, cool_down_until=None)
    ask(scenario)
    assert budget(scenario) == Budget(left_today=2, daily_budget=3, cool_down_until=None), "it is under way"
    scenario.finish()
    assert budget(scenario) == Budget(2, 3, scenario.clock.now + timedelta(hours=6))
    assert scenario.decision() == "cooling_down"


def test_a_request_that_cannot_be_stored_starts_nothing(scenario: Scenario) -> None:
    scenario.decide(alert() | {"status": "resolved"})
    with failing_writes(), pytest.raises(JournalError, match="cannot be written"):
        ask(scenario)
    assert scenario.journal.unfinished is None
