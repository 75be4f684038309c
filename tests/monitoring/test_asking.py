"""What admins ask the monitor service for: retraining, versions, rollback; and what charts get."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from monitoring.run_py import RunPyCommand
from tests.monitoring.serving import Service, Start
from tests.monitoring.watching import alert, failing_writes, python
from tests.system.workspace import wait_for

REASON = {"reason": "new listings"}


def retraining(service: Service) -> dict[str, Any]:
    answer = service.ask("GET", "/retraining", "rita")
    assert answer.status_code == 200, answer.text
    state: dict[str, Any] = answer.json()
    return state


def test_a_retraining_is_asked_for_is_shown_and_ends(service: Service) -> None:
    assert retraining(service) == {
        "running": None, "last": None, "left_today": 3, "daily_budget": 3, "cool_down_until": None,
    }  # fmt: skip
    answer = service.ask("POST", "/retrain", "ada", json=REASON)
    started = answer.json()
    assert (answer.status_code, started["asked_by"], started["reason"]) == (202, "ada", "new listings")
    wait_for("it has ended", lambda: retraining(service)["last"] is not None)
    state = retraining(service)
    assert (state["running"], state["left_today"]) == (None, 2)
    last = state["last"]
    assert (last["retraining"], last["asked_by"], last["alert"]) == (started["retraining"], "ada", None)
    assert (last["outcome"], last["reason"]) == ("refused", "not better")
    assert 'retraining_total{outcome="refused"} 1.0' in service.metrics()
    texts = [event["text"] for event in service.ask("GET", "/timeline", "rita").json()]
    assert "Retraining started, asked for by ada: new listings" in texts


def test_while_one_is_under_way_another_is_a_conflict(start: Start) -> None:
    service = start(training=python("import time; time.sleep(600)"))
    assert service.ask("POST", "/retrain", "ada", json=REASON).status_code == 202
    refused = service.ask("POST", "/retrain", "ada", json=REASON)
    assert (refused.status_code, "is under way" in refused.json()["detail"]) == (409, True)
    assert service.send(alert()) == ["already_running"]
    assert retraining(service)["running"]["outcome"] == "under way"


def test_the_cool_down_holds_for_people_too_and_says_when_to_come_back(service: Service) -> None:
    service.send(alert())
    wait_for("it has ended", lambda: service.journal.last_end is not None)
    refused = service.ask("POST", "/retrain", "ada", json=REASON)
    assert (refused.status_code, "the next retraining may begin at" in refused.json()["detail"]) == (429, True)
    assert 6 * 3600 - 60 < int(refused.headers["retry-after"]) <= 6 * 3600
    assert retraining(service)["cool_down_until"] is not None


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "a\nb"}, {"reason": "x" * 501}])
@pytest.mark.parametrize("path", ["/retrain", "/rollback"])
def test_a_reason_is_needed_and_is_one_line(service: Service, path: str, body: dict[str, str]) -> None:
    assert service.ask("POST", path, "ada", json=body).status_code == 422
    assert (service.commands, service.journal.unfinished) == ([], None)


def test_a_request_that_cannot_be_stored_starts_nothing(service: Service) -> None:
    with failing_writes():
        assert service.ask("POST", "/retrain", "ada", json=REASON).status_code == 503
    assert service.journal.unfinished is None


def test_versions_are_read_by_commands_and_kept_for_a_while(service: Service) -> None:
    for _ in range(2):
        assert service.ask("GET", "/models", "ada").json()["model"] == "shop"
        assert service.ask("GET", "/models/2", "ada").json() == {"version": "2", "card": "# Card"}
        compared = service.ask("GET", "/models/compare?first=1&second=2", "ada").json()
        assert (compared["first"], compared["second"]) == ("1", "2")
    assert service.commands == ["list", "show 2", "compare 1 2"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/models/3", 404), ("/models/compare?first=1&second=9", 404), ("/models/--json", 422), ("/models/0", 422),
     ("/models/compare?first=1", 422)],
)  # fmt: skip
def test_a_version_that_is_none_is_not_asked_for(service: Service, path: str, status: int) -> None:
    assert service.ask("GET", path, "ada").status_code == status
    assert set(service.commands) <= {"list"}


def test_a_rollback_is_done_stored_and_shown(service: Service) -> None:
    service.ask("GET", "/models", "ada")
    answer = service.ask("POST", "/rollback", "ada", json={"reason": "--by=eve; worse"})
    assert (answer.status_code, answer.json()) == (200, {"left": "2", "now": "1", "skipped": []})
    assert service.commands[1] == "rollback --by=ada --reason=--by=eve; worse"
    (stored,) = service.journal.rollbacks(9)
    assert (stored.asked_by, stored.before, stored.after, stored.entry) == ("ada", "2", "1", "e2")
    assert service.ask("GET", "/models", "ada").status_code == 200
    assert service.commands[2:] == ["list"], "what was read before the rollback is not shown after it"
    events = [(event["kind"], event["text"]) for event in service.ask("GET", "/timeline", "rita").json()]
    assert ("rollback", "Back to version 1 (before: version 2), asked for by ada: --by=eve; worse") in events
    assert ("promotion", "Version 2 is in production (before: version 1): better") in events


def test_a_rollback_may_name_the_version_that_is_to_leave(service: Service) -> None:
    assert service.ask("POST", "/rollback", "ada", json={**REASON, "leaving": "2"}).status_code == 200
    assert service.ask("POST", "/rollback", "ada", json={**REASON, "leaving": "--x"}).status_code == 422
    assert service.commands == ["rollback --by=ada --reason=new listings --leaving=2"]


def test_the_error_of_a_command_is_the_problem_s_sentence(service: Service) -> None:
    (service.folder / "failure.txt").write_text("nothing is before version 1")
    refused = service.ask("POST", "/rollback", "ada", json=REASON)
    assert (refused.status_code, refused.json()["detail"]) == (409, "nothing is before version 1")
    away = service.ask("GET", "/models", "ada")
    assert (away.status_code, away.json()["detail"]) == (503, "nothing is before version 1")
    assert service.journal.rollbacks(9) == []
    (service.folder / "failure.txt").unlink()
    assert service.ask("GET", "/models", "ada").status_code == 200, "a failure is not kept"


def test_a_command_that_takes_too_long_is_ended(start: Start) -> None:
    service = start()
    service.models.models = service.models.rollback = RunPyCommand(
        python("import time; time.sleep(600)"), service.folder
    )
    service.models.limit = 0.5
    sentence = "the command about models took longer than 0.5 s, so it was ended"
    answer = service.ask("GET", "/models", "ada")
    assert (answer.status_code, answer.json()["detail"]) == (503, sentence)
    change = service.ask("POST", "/rollback", "ada", json=REASON)
    assert (change.status_code, change.json()["detail"]) == (409, sentence), "503 would say that nothing was done"


def test_a_command_under_way_ends_with_the_service(start: Start) -> None:
    service = start()
    service.models.models = RunPyCommand(python("import time; time.sleep(600)"), service.folder)
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(service.ask("GET", "/models", "ada").status_code))
    thread.start()
    wait_for("the command runs", lambda: service.folder.joinpath(".command.log").exists())
    service.monitor.stop()
    thread.join(30)
    assert answers == [503]


def test_the_timeline_does_not_wait_for_the_registry(service: Service) -> None:
    def kinds() -> set[str]:
        return {event["kind"] for event in service.read("/timeline").json()}

    assert "promotion" not in kinds()
    wait_for("the promotion log is read", lambda: "promotion" in kinds())
    assert service.commands == ["list"]


def test_however_often_pages_are_read_the_promotion_log_is_read_once(service: Service) -> None:
    for _ in range(20):
        assert [service.read(path).status_code for path in ("/", "/timeline")] == [200, 200]
    wait_for("the promotion log is read", lambda: service.models.moves() != [])
    for _ in range(20):
        assert service.read("/").status_code == 200
    assert service.commands == ["list"]


def test_an_old_promotion_log_and_one_after_a_change_are_read_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.ask("GET", "/models", "ada")
    service.read("/timeline")
    assert service.commands == ["list"]
    service.models.forget()
    service.read("/timeline")
    wait_for("it is read again", lambda: service.commands == ["list"] * 2)
    wait_for("that has ended", lambda: service.models.read("list") and service.commands == ["list"] * 2)
    monkeypatch.setattr("monitoring.models._OLD", 0)
    monkeypatch.setattr(service.models._kept, "_seconds", 0)
    service.read("/timeline")
    wait_for("it is read again", lambda: service.commands == ["list"] * 3)


def test_what_was_read_while_the_registry_changed_is_not_kept(start: Start) -> None:
    service = start()
    go, versions = service.folder / "go", service.folder / "versions.json"
    slow = f"""
import pathlib, sys, time
found = pathlib.Path({str(versions)!r}).read_text()
pathlib.Path("read.txt").touch()
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.01)
pathlib.Path(sys.argv[-1]).write_text(found)
"""
    service.models.models = RunPyCommand(python(slow), service.folder)
    versions.write_text('{"production": "1", "versions": [], "log": []}')
    with ThreadPoolExecutor() as pool:
        before = pool.submit(service.ask, "GET", "/models", "ada")
        wait_for("the command has read the registry", (service.folder / "read.txt").exists)
        versions.write_text('{"production": "2", "versions": [], "log": []}')
        service.models.forget()
        go.touch()
        assert before.result().json()["production"] == "1"
    assert service.ask("GET", "/models", "ada").json()["production"] == "2"


@pytest.mark.parametrize("path", ["/timeline", "/verdicts"])
def test_the_length_of_a_list_is_limited(service: Service, path: str) -> None:
    assert [service.read(f"{path}?limit={limit}").status_code for limit in (0, 1, 1_000, 1_001)] == [422, 200, 200, 422]
