"""How a retraining ends: as a process here, and as a DAG of Airflow."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from monitoring.airflow_trainer import AirflowTrainer, dag_run_id
from monitoring.decisions import Rules
from monitoring.entries import AlertDecision, RetrainingEnd, RetrainingRequest, RetrainingStart
from monitoring.local_trainer import LocalTrainer
from monitoring.report_folder import ReportFolder
from monitoring.retraining import RetrainingResult, RetrainingRunner
from monitoring.run_py import RunPyCommand
from stacks.airflow_client import AirflowClient
from state.processes import has_ended
from tests.monitoring.watching import ENDLESS, NOON, Clock, Scenario, alert, python, reporting
from tests.stacks.airflow import RUNS, SETTINGS, Answers
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
    return LocalTrainer(RunPyCommand(command, folder), ReportFolder(folder), threading.Lock(), scenario.journal, limit)


def trained(scenario: Scenario, job: AlertDecision, command: list[str], limit: float = 60) -> RetrainingResult:
    return trainer(scenario, command, limit).train(job, threading.Event())


def test_outcome_and_reason_are_those_that_the_training_reports(scenario: Scenario, job: AlertDecision) -> None:
    promoted = trained(scenario, job, reporting(promoted=True, reason="better by 0.02", model_version="4"))
    assert promoted == RetrainingResult("promoted", "better by 0.02", "4")
    assert trained(scenario, job, reporting(reason="not better")) == RetrainingResult("refused", "not better", "1")


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
    assert trained(scenario, job, command) == RetrainingResult("failed", sentence)


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


def test_stopping_leaves_no_process_and_the_journal_says_interrupted(scenario: Scenario, job: AlertDecision) -> None:
    told: list[RetrainingEnd] = []
    retraining = RetrainingRunner(trainer(scenario, python(ENDLESS)), scenario.journal, told.append)
    retraining.start(job)
    processes = family(scenario, job)
    retraining.stop()
    assert all(has_ended(process) for process in processes)
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
    retraining = RetrainingRunner(trainer(scenario, python("pass")), scenario.journal, lambda _: None)
    retraining.resume()
    wait_for("its end is stored", lambda: scenario.journal.last_end is not None)
    retraining.stop()
    assert all(has_ended(process) for process in processes)
    end = scenario.journal.end_of(str(job.retraining))
    assert end is not None
    assert end.reason.startswith("interrupted")


def test_the_report_of_a_training_that_outlived_its_service_counts(scenario: Scenario, job: AlertDecision) -> None:
    report = {"promoted": True, "reason": "better", "model_version": "2", "weighted_f1": 0.9}
    (scenario.path.parent / f"retraining-{job.retraining}.json").write_text(json.dumps(report))
    assert trainer(scenario, python("pass")).resume(job, threading.Event()) == RetrainingResult(
        "promoted", "better", "2"
    )


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
    results: list[RetrainingResult] = []
    with training.pipeline_lock:
        thread = threading.Thread(target=lambda: results.append(training.train(job, threading.Event())))
        thread.start()
        time.sleep(0.5)
        assert not started(scenario, job)
    thread.join(30)
    assert results[0].outcome == "promoted"


# Retraining as a DAG of Airflow. What a real Airflow does is tested by `make test-airflow`.


def dag(scenario: Scenario, job: AlertDecision, look: list[Any], **outcome: Any) -> AirflowTrainer:
    run = dag_run_id(job)
    transport = Answers({f"POST {RUNS}": [(200, {}), (409, {})], f"GET {RUNS}/{run}": look})
    return AirflowTrainer(AirflowClient(SETTINGS, transport), scenario.journal, lambda _run: outcome or None)


def test_the_same_retraining_names_the_same_run(job: AlertDecision) -> None:
    assert dag_run_id(job) == "alert-20260304T120000-a1b2c3d4e5f60718"
    asked_for = RetrainingRequest(at=NOON, asked_by="ada", reason="new listings", retraining="r2")
    assert dag_run_id(asked_for) == "request-r2"


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        ({"promoted": True, "model_version": "2"}, RetrainingResult("promoted", "why", "2")),
        # Version 1 is in production after it, by a rollback beside it.
        ({"promoted": False, "model_version": "1"}, RetrainingResult("refused", "why", "1")),
        ({"promoted": False, "model_version": None}, RetrainingResult("refused", "why", None)),
    ],
)
def test_the_decision_of_a_dag_run_is_its_outcome(
    scenario: Scenario, job: AlertDecision, decided: dict[str, Any], expected: RetrainingResult
) -> None:
    trainer = dag(scenario, job, [(200, {"state": "success"})], reason="why", **decided)
    assert trainer.train(job, threading.Event()) == expected


def test_a_dag_run_without_an_outcome_is_a_failed_retraining(scenario: Scenario, job: AlertDecision) -> None:
    result = dag(scenario, job, [(200, {"state": "success"})]).train(job, threading.Event())
    assert result is not None
    assert (result.outcome, "ZenML has no outcome of it" in result.reason) == ("failed", True)


def test_a_failed_dag_run_is_a_failed_retraining(scenario: Scenario, job: AlertDecision) -> None:
    result = dag(scenario, job, [(200, {"state": "failed"})]).train(job, threading.Event())
    assert result is not None
    assert result.outcome == "failed"


def test_a_dag_run_continues_without_the_service_until_the_next_one_waits(
    scenario: Scenario, job: AlertDecision
) -> None:
    stop = threading.Event()
    stop.set()
    before = dag(scenario, job, [(200, {"state": "running"})])
    assert before.train(job, stop) is None
    scenario.restart()
    assert scenario.journal.unfinished == job
    decided = {"promoted": True, "reason": "better", "model_version": "2"}
    after = replace(dag(scenario, job, [(200, {"state": "success"})], **decided), journal=scenario.journal)
    resumed = after.resume(job, threading.Event())
    assert resumed == RetrainingResult("promoted", "better", "2")
