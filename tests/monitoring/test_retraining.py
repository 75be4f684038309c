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

from monitoring.airflow_api import Airflow, AirflowError, AirflowSettings
from monitoring.decisions import Rules
from monitoring.record import Began, Decided, Finished
from monitoring.retraining import AirflowTrainer, LocalTrainer, Result, Retraining, dag_run_id
from tests.monitoring.watching import ENDLESS, Clock, Desk, alert, python, reporting
from tests.system.workspace import wait_for


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "decisions.jsonl", Clock(), Rules())
    yield desk
    desk.record.close()


@pytest.fixture
def job(desk: Desk) -> Decided:
    return desk.decide(alert())[0]


def trainer(desk: Desk, command: list[str], limit: float = 60) -> LocalTrainer:
    return LocalTrainer(command, desk.path.parent, desk.path.parent, threading.Lock(), desk.record, limit)


def trained(desk: Desk, job: Decided, command: list[str], limit: float = 60) -> Result:
    return trainer(desk, command, limit).train(job, threading.Event())


def test_outcome_and_sentence_are_the_training_s(desk: Desk, job: Decided) -> None:
    promoted = trained(desk, job, reporting(promoted=True, reason="better by 0.02", model_version="4"))
    assert promoted == Result("promoted", "better by 0.02", "4")
    assert trained(desk, job, reporting(reason="not better")) == Result("refused", "not better", "1")


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
def test_what_brought_no_model_failed_and_says_why(desk: Desk, job: Decided, command: list[str], sentence: str) -> None:
    assert trained(desk, job, command) == Result("failed", sentence)


def test_a_training_that_takes_too_long_is_ended(desk: Desk, job: Decided) -> None:
    assert trained(desk, job, python("import time; time.sleep(60)"), limit=0.3).outcome == "failed"


def family(desk: Desk, job: Decided) -> list[psutil.Process]:
    """The processes of an ENDLESS training, once both are there."""
    pids = desk.path.parent / f"retraining-{job.retraining}.pids"
    wait_for("the training runs", lambda: pids.is_file() and pids.read_text() != "" and bool(desk.record.began))
    return [psutil.Process(int(pids.read_text())), psutil.Process(desk.record.began[str(job.retraining)].pid)]


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_stopping_leaves_no_process_and_the_record_says_interrupted(desk: Desk, job: Decided) -> None:
    told: list[Finished] = []
    retraining = Retraining(trainer(desk, python(ENDLESS)), desk.record, told.append)
    retraining.start(job)
    processes = family(desk, job)
    retraining.stop()
    assert all(gone(process) for process in processes)
    desk.restart()
    (end,) = desk.record.finished.values()
    assert (end.outcome, end.reason) == ("failed", "interrupted: the monitor service ended while it was under way")
    assert [entry.outcome for entry in told] == ["failed"]


def test_what_a_killed_service_left_running_is_ended_and_recorded(desk: Desk, job: Decided) -> None:
    abandoned = threading.Thread(
        target=trainer(desk, python(ENDLESS)).train, args=(job, threading.Event()), daemon=True
    )
    abandoned.start()
    processes = family(desk, job)
    retraining = Retraining(trainer(desk, python("pass")), desk.record, lambda _: None)
    retraining.resume()
    wait_for("it is recorded", lambda: bool(desk.record.finished))
    retraining.stop()
    assert all(gone(process) for process in processes)
    assert desk.record.finished[str(job.retraining)].reason.startswith("interrupted")


def test_a_training_that_outlived_its_service_and_reported_counts_as_what_it_was(desk: Desk, job: Decided) -> None:
    report = {"promoted": True, "reason": "better", "model_version": "2", "weighted_f1": 0.9}
    (desk.path.parent / f"retraining-{job.retraining}.json").write_text(json.dumps(report))
    assert trainer(desk, python("pass")).resume(job, threading.Event()) == Result("promoted", "better", "2")


def test_another_process_with_the_number_of_the_old_one_is_left_alone(desk: Desk, job: Decided) -> None:
    stranger = psutil.Popen(python("import time; time.sleep(60)"))
    try:
        desk.record.append(Began(at=desk.clock(), retraining=str(job.retraining), pid=stranger.pid, created=1.0))
        assert trainer(desk, python("pass")).resume(job, threading.Event()).outcome == "failed"
        assert stranger.is_running()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_retraining_waits_for_the_monitoring_run_under_way(desk: Desk, job: Decided) -> None:
    training = trainer(desk, reporting(promoted=True, reason="better"))
    results: list[Result] = []
    with training.turn:
        thread = threading.Thread(target=lambda: results.append(training.train(job, threading.Event())))
        thread.start()
        time.sleep(0.5)
        assert not desk.record.began
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


def dag(desk: Desk, job: Decided, look: list[Any], versions: list[str | None]) -> AirflowTrainer:
    run = dag_run_id(job)
    transport = Answers({f"POST {RUNS}": [(200, {}), (409, {})], f"GET {RUNS}/{run}": look})
    given = iter(versions)
    return AirflowTrainer(Airflow(SETTINGS, transport), desk.record, lambda: next(given))


def test_the_same_alert_names_the_same_run(job: Decided) -> None:
    assert dag_run_id(job) == "alert-a1b2c3d4e5f60718-20260304T110000.000000Z"


@pytest.mark.parametrize(
    ("state", "versions", "expected"),
    [
        ("success", ["1", "2"], Result("promoted", "version 2 is in production now, after version 1", "2")),
        ("success", ["1", "1"], Result("refused", "the run succeeded and version 1 stays in production", "1")),
    ],
)
def test_whether_a_dag_promoted_is_what_the_registry_says(
    desk: Desk, job: Decided, state: str, versions: list[str | None], expected: Result
) -> None:
    assert dag(desk, job, [(200, {"state": state})], versions).train(job, threading.Event()) == expected


def test_a_dag_that_failed_failed(desk: Desk, job: Decided) -> None:
    result = dag(desk, job, [(200, {"state": "failed"})], ["1"]).train(job, threading.Event())
    assert result is not None
    assert result.outcome == "failed"


def test_a_dag_goes_on_without_the_service_and_is_taken_up_by_the_next(desk: Desk, job: Decided) -> None:
    stop = threading.Event()
    stop.set()
    before = dag(desk, job, [(200, {"state": "running"})], ["1"])
    assert before.train(job, stop) is None
    desk.restart()
    assert desk.record.unfinished == job
    after = replace(dag(desk, job, [(200, {"state": "success"})], ["2"]), record=desk.record)
    resumed = after.resume(job, threading.Event())
    assert resumed == Result("promoted", "version 2 is in production now, after version 1", "2")
