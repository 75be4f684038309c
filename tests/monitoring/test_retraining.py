"""How a retraining ends, whatever ends it; as a process here, and as a DAG of Airflow."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from monitoring.decisions import Rules
from monitoring.entries import AlertDecision, RetrainingEnd, RetrainingStart
from monitoring.report_folder import ReportFolder
from monitoring.retraining import AirflowTrainer, LocalTrainer, Result, Retraining, dag_run_id
from stacks.airflow_client import Airflow, AirflowError, AirflowSettings
from tests.monitoring.watching import ENDLESS, Clock, Scenario, alert, python, reporting
from tests.system.workspace import wait_for


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Scenario]:
    scenario = Scenario(tmp_path / "journal.db", Clock(), Rules())
    yield scenario
    scenario.journal.close()


@pytest.fixture
def job(scenario: Scenario) -> AlertDecision:
    return scenario.decide(alert())[0]


def trainer(scenario: Scenario, command: list[str], limit: float = 60) -> LocalTrainer:
    folder = scenario.path.parent
    return LocalTrainer(command, folder, ReportFolder(folder), threading.Lock(), scenario.journal, limit)


def trained(scenario: Scenario, job: AlertDecision, command: list[str], limit: float = 60) -> Result:
    return trainer(scenario, command, limit).train(job, threading.Event())


def test_outcome_and_reason_are_those_that_the_training_reports(scenario: Scenario, job: AlertDecision) -> None:
    promoted = trained(scenario, job, reporting(promoted=True, reason="better by 0.02", model_version="4"))
    assert promoted == Result("promoted", "better by 0.02", "4")
    assert trained(scenario, job, reporting(reason="not better")) == Result("refused", "not better", "1")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (reporting(weighted_f1=None, reason="the contract is broken"), "the contract is broken"),
        (python("import sys; print('error: the disk is full', file=sys.stderr); sys.exit(1)"), "the disk is full"),
        (python("raise KeyError('Piscine gonflable')"), "it ended with exit code 1 (KeyError)"),
        (python("import sys; sys.exit(3)"), "it ended with exit code 3"),
        (python("pass"), "it ended with exit code 0"),
        (["/nowhere/python"], "the training could not be started: No such file or directory"),
    ],
)
def test_a_training_without_a_model_has_failed_and_says_why(
    scenario: Scenario, job: AlertDecision, command: list[str], sentence: str
) -> None:
    assert trained(scenario, job, command) == Result("failed", sentence)


def test_a_training_that_takes_too_long_is_ended(scenario: Scenario, job: AlertDecision) -> None:
    assert trained(scenario, job, python("import time; time.sleep(60)"), limit=0.3).outcome == "failed"


def family(scenario: Scenario, job: AlertDecision) -> list[psutil.Process]:
    """The processes of an ENDLESS training, once both are there."""
    pids = scenario.path.parent / f"retraining-{job.retraining}.pids"
    wait_for("the training runs", lambda: pids.is_file() and pids.read_text() != "" and started(scenario, job))
    start = scenario.journal.start_of(str(job.retraining))
    assert start is not None
    return [psutil.Process(int(pids.read_text())), psutil.Process(start.pid)]


def started(scenario: Scenario, job: AlertDecision) -> bool:
    return scenario.journal.start_of(str(job.retraining)) is not None


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_stopping_leaves_no_process_and_the_journal_says_interrupted(scenario: Scenario, job: AlertDecision) -> None:
    told: list[RetrainingEnd] = []
    retraining = Retraining(trainer(scenario, python(ENDLESS)), scenario.journal, told.append)
    retraining.start(job)
    processes = family(scenario, job)
    retraining.stop()
    assert all(gone(process) for process in processes)
    scenario.restart()
    end = scenario.journal.end_of(str(job.retraining))
    assert end is not None
    assert (end.outcome, end.reason) == ("failed", "interrupted: the monitor service ended while it was under way")
    assert [entry.outcome for entry in told] == ["failed"]


def test_a_restarted_service_ends_what_a_killed_one_left_running(scenario: Scenario, job: AlertDecision) -> None:
    abandoned = threading.Thread(
        target=trainer(scenario, python(ENDLESS)).train, args=(job, threading.Event()), daemon=True
    )
    abandoned.start()
    processes = family(scenario, job)
    retraining = Retraining(trainer(scenario, python("pass")), scenario.journal, lambda _: None)
    retraining.resume()
    wait_for("its end is stored", lambda: scenario.journal.last_end is not None)
    retraining.stop()
    assert all(gone(process) for process in processes)
    end = scenario.journal.end_of(str(job.retraining))
    assert end is not None
    assert end.reason.startswith("interrupted")


def test_the_report_of_a_training_that_outlived_its_service_counts(scenario: Scenario, job: AlertDecision) -> None:
    report = {"promoted": True, "reason": "better", "model_version": "2", "weighted_f1": 0.9}
    (scenario.path.parent / f"retraining-{job.retraining}.json").write_text(json.dumps(report))
    assert trainer(scenario, python("pass")).resume(job, threading.Event()) == Result("promoted", "better", "2")


def test_a_later_process_with_the_same_process_id_is_left_alone(scenario: Scenario, job: AlertDecision) -> None:
    stranger = psutil.Popen(python("import time; time.sleep(60)"))
    try:
        start = RetrainingStart(at=scenario.clock(), retraining=str(job.retraining), pid=stranger.pid, created=1.0)
        scenario.journal.append(start)
        assert trainer(scenario, python("pass")).resume(job, threading.Event()).outcome == "failed"
        assert stranger.is_running()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_retraining_waits_for_the_monitoring_run_under_way(scenario: Scenario, job: AlertDecision) -> None:
    training = trainer(scenario, reporting(promoted=True, reason="better"))
    results: list[Result] = []
    with training.turn:
        thread = threading.Thread(target=lambda: results.append(training.train(job, threading.Event())))
        thread.start()
        time.sleep(0.5)
        assert not started(scenario, job)
    thread.join(30)
    assert results[0].outcome == "promoted"


# Airflow: what it says when something is wrong. That a real one does what is asked is `make test-airflow`'s.

SETTINGS = AirflowSettings("http://airflow.test", "ada", "violet-Umbrella-42")


class Answers(httpx.BaseTransport):
    """Gives what a test says to each method and path, the last answer again and again."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers = {"POST /auth/token": [(201, {"access_token": "t"})]} | answers
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        left = self.answers[f"{request.method} {request.url.path}"]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], json=answer[1])


RUNS = "/api/v2/dags/product_types_training/dagRuns"


def airflow(**answers: list[Any]) -> tuple[Airflow, Answers]:
    names = {"trigger": f"POST {RUNS}", "look": f"GET {RUNS}/run", "login": "POST /auth/token"}
    transport = Answers({names[name]: answer for name, answer in answers.items()})
    return Airflow(SETTINGS, transport), transport


def test_a_run_is_triggered_with_its_id_and_without_a_date() -> None:
    client, transport = airflow(trigger=[(200, {"dag_run_id": "run"})])
    assert client.trigger("run", "alert Drift") is True
    assert json.loads(transport.asked[0].content) == {"username": "ada", "password": "violet-Umbrella-42"}
    sent = transport.asked[1]
    assert sent.headers["Authorization"] == "Bearer t"
    assert json.loads(sent.content) == {"dag_run_id": "run", "logical_date": None, "note": "alert Drift"}


def test_a_run_that_is_there_already_is_fine() -> None:
    assert airflow(trigger=[(409, {"detail": "exists"})])[0].trigger("run", "") is False


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"trigger": [(404, {})]}, "was 'product_types_training' delivered, and named in AIRFLOW_DAG_ID"),
        ({"trigger": [(403, {})]}, "user 'ada' may not do that"),
        ({"trigger": [(401, {})]}, "user 'ada' may not do that"),
        ({"trigger": [(422, {"detail": "no such field"})]}, "answers 422: no such field"),
        ({"trigger": [(500, {})]}, "answers 500"),
        ({"login": [(401, {})]}, "does not accept AIRFLOW_USERNAME and AIRFLOW_PASSWORD"),
        ({"login": [(404, {})]}, "the address of an Airflow 3 API server"),
        ({"login": [httpx.ConnectError("refused")]}, "Airflow at http://airflow.test does not answer"),
    ],
)
def test_what_is_wrong_is_a_sentence_without_the_password(answers: dict[str, list[Any]], sentence: str) -> None:
    client, _ = airflow(**answers)
    with pytest.raises(AirflowError) as caught:
        client.trigger("run", "")
    assert sentence in str(caught.value)
    assert SETTINGS.password not in str(caught.value) + repr(SETTINGS)


def test_a_token_that_has_expired_is_renewed() -> None:
    client, transport = airflow(look=[(401, {}), (200, {"state": "success"})])
    assert client.wait("run", every=0) == "success"
    assert [request.url.path for request in transport.asked].count("/auth/token") == 2


def test_an_outage_while_a_run_is_waited_for_is_sat_out() -> None:
    client, _ = airflow(
        look=[(200, {"state": "queued"}), httpx.ConnectError("refused"), (503, {}), (200, {"state": "failed"})]
    )
    assert client.wait("run", every=0) == "failed"


def test_a_wait_has_an_end() -> None:
    client, _ = airflow(look=[(200, {"state": "running"})])
    with pytest.raises(AirflowError, match="has not ended after"):
        client.wait("run", every=0.01, limit=0.05)


@pytest.mark.parametrize("missing", ["AIRFLOW_API_URL", "AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"])
def test_a_setting_that_is_missing_is_named(missing: str) -> None:
    environment = {"AIRFLOW_API_URL": "http://a", "AIRFLOW_USERNAME": "ada", "AIRFLOW_PASSWORD": "x"}
    with pytest.raises(AirflowError, match=missing):
        AirflowSettings.from_environment(environment | {missing: ""})


def dag(scenario: Scenario, job: AlertDecision, look: list[Any], versions: list[str | None]) -> AirflowTrainer:
    run = dag_run_id(job)
    transport = Answers({f"POST {RUNS}": [(200, {}), (409, {})], f"GET {RUNS}/{run}": look})
    given = iter(versions)
    return AirflowTrainer(Airflow(SETTINGS, transport), scenario.journal, lambda: next(given))


def test_the_same_alert_names_the_same_run(job: AlertDecision) -> None:
    assert dag_run_id(job) == "alert-a1b2c3d4e5f60718-20260304T110000.000000Z"


@pytest.mark.parametrize(
    ("state", "versions", "expected"),
    [
        ("success", ["1", "2"], Result("promoted", "version 2 is in production now, after version 1", "2")),
        ("success", ["1", "1"], Result("refused", "the run succeeded and version 1 stays in production", "1")),
    ],
)
def test_whether_a_dag_promoted_is_what_the_registry_says(
    scenario: Scenario, job: AlertDecision, state: str, versions: list[str | None], expected: Result
) -> None:
    assert dag(scenario, job, [(200, {"state": state})], versions).train(job, threading.Event()) == expected


def test_a_dag_that_failed_failed(scenario: Scenario, job: AlertDecision) -> None:
    result = dag(scenario, job, [(200, {"state": "failed"})], ["1"]).train(job, threading.Event())
    assert result is not None
    assert result.outcome == "failed"


def test_a_dag_goes_on_without_the_service_and_is_taken_up_by_the_next(scenario: Scenario, job: AlertDecision) -> None:
    stop = threading.Event()
    stop.set()
    before = dag(scenario, job, [(200, {"state": "running"})], ["1"])
    assert before.train(job, stop) is None
    scenario.restart()
    assert scenario.journal.unfinished == job
    after = replace(dag(scenario, job, [(200, {"state": "success"})], ["2"]), journal=scenario.journal)
    resumed = after.resume(job, threading.Event())
    assert resumed == Result("promoted", "version 2 is in production now, after version 1", "2")
