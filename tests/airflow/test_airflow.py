"""The remote stack, whole and real: Airflow starts the steps, and everything they make is on servers."""

import base64
import json
import re
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import docker
import httpx
import mlflow
import pytest

from ledger.database import migrate, open_engine, writing
from ledger.feedback import give_feedback
from ledger.predictions import PredictionRecord, store_predictions
from stacks.airflow_client import AirflowClient, AirflowSettings
from tests.airflow.engines import BUCKETS, TOKEN_LIFE, Lab, answers, lab
from tests.conftest import ROOT
from tests.monitoring.watching import alert, webhook
from tests.system.pages import commands
from tests.system.service import serving
from tests.system.workspace import Workspace, free_port, wait_for

pytestmark = pytest.mark.airflow
DAG = "rakuten-embedded_training"
MINUTES = 15  # for a run, on a machine that does other things beside
RUNS = """
import json
from zenml.client import Client
runs = Client().list_pipeline_runs(sort_by="asc:created", size=50, hydrate=True).items
print(json.dumps([
    {"engine": run.orchestrator_run_id, "status": run.status.value, "steps": len(run.steps),
     "feedback": run.steps["collect_inputs"].outputs["feedback"][0].run_metadata["rows"]}
    for run in runs
]))
"""


class Remote(Workspace):
    """`run.py` with the addresses of the lab, as they stand in a user's shell or secret store."""

    lab: Lab

    def environment(self) -> dict[str, str]:
        return super().environment() | self.lab.environment


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def remote(running: Lab, tmp_path_factory: pytest.TempPathFactory) -> Remote:
    """The stack applied as the page about stacks says, and one word of a reviewer in the ledger."""
    remote = Remote(tmp_path_factory.mktemp("client"))
    object.__setattr__(remote, "lab", running)
    known = running.environment
    given = {"KEY": known["S3_KEY"], "SECRET": known["S3_SECRET"], "USER": "trainer", "PASSWORD": "not-asked-for"}
    give_a_reviewers_word(known["LEDGER"])
    *applied, last = commands("docs/stacks.md", "airflow")
    assert last == "python run.py"  # which the tests below start
    for command in applied:
        command = re.sub(r"=postgresql:\S+", f"={known['LEDGER']}", command)
        command = re.sub(r"=(KEY|SECRET|USER|PASSWORD)\b", lambda found: f"={given[found[1]]}", command)
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=remote.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return remote


@pytest.fixture(scope="module")
def outcome(remote: Remote) -> dict[str, Any]:
    """Of `python run.py`: published, started, followed to its end."""
    report = remote.folder / "outcome.json"
    done = remote.run("--size", "600", "--json", str(report), timeout=60 * MINUTES)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(report.read_text())
    return answer | {"printed": done.stdout}


@pytest.fixture
def airflow(running: Lab) -> Iterator[AirflowClient]:
    with AirflowClient(AirflowSettings.from_environment(running.environment, DAG)) as airflow:
        yield airflow


def give_a_reviewers_word(url: str) -> None:
    migrate(url)
    engine = open_engine(url)
    now = datetime.now(UTC)
    record = PredictionRecord(
        "one", "anna", "Piscine ronde", None, 1560, 0.4, True, False, "fr", "rakuten-embedded", "0", now,
    )  # fmt: skip
    with writing(engine) as connection:
        store_predictions(connection, [record])
        give_feedback(connection, "one", 2583, "rita", "reviewer", now)
    engine.dispose()


def runs(remote: Remote) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", RUNS], env=remote.environment(), capture_output=True, text=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def delivered(running: Lab) -> tuple[Path, dict[str, Any]]:
    path = running.dags / f"{DAG}.zip"
    with zipfile.ZipFile(path) as archive:
        return path, json.loads(archive.read("config.json"))


def test_run_py_trains_there_and_tells_the_outcome_as_on_any_stack(outcome: dict[str, Any]) -> None:
    assert outcome["model_version"] == "1"
    assert outcome["bento_tag"].startswith("rakuten-embedded:1-")
    for step in ("collect_inputs", "train_classifier", "promote_classifier"):
        assert step in outcome["printed"]


@pytest.mark.usefixtures("outcome")
def test_the_schedule_starts_runs_too_and_zenml_knows_all_of_them(remote: Remote, airflow: AirflowClient) -> None:
    found = runs(remote)
    kinds = {run["engine"].split("__")[0].split("-")[0] for run in found}
    assert kinds == {"scheduled", "run.py"}
    for run in found:
        assert (run["status"], run["steps"]) == ("completed", 10)
        assert airflow.state(run["engine"]) == "success"


@pytest.mark.usefixtures("outcome")
def test_the_steps_read_the_ledger_whose_address_only_the_secret_store_knows(remote: Remote, running: Lab) -> None:
    assert {run["feedback"] for run in runs(remote)} == {1}
    path, dag = delivered(running)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = json.dumps(dag)
    for secret in (running.environment["LEDGER"], running.environment["S3_SECRET"], "not-asked-for", "DATABASE_URL"):
        assert secret not in text


@pytest.mark.usefixtures("outcome")
def test_no_secret_is_in_the_image(running: Lab) -> None:
    image = docker.from_env().images.get(delivered(running)[1]["tasks"][0]["docker_image"])
    known = running.environment
    text = json.dumps([image.attrs, image.history()])
    for secret in (known["LEDGER"], known["S3_SECRET"], known["ZENML_STORE_API_KEY"], "ZENML_STORE_API_TOKEN"):
        assert secret not in text
    assert image.attrs["Config"]["User"] == "steps"


def test_model_and_bento_are_on_the_servers(outcome: dict[str, Any], remote: Remote, running: Lab) -> None:
    client = mlflow.MlflowClient(tracking_uri=running.tracker)
    version = client.get_model_version_by_alias("rakuten-embedded", "production")
    assert version.version == "1"
    assert version.tags["bento_tag"] == outcome["bento_tag"]
    known = running.environment
    s3 = boto3.client(
        "s3", endpoint_url=known["S3_ENDPOINT"], aws_access_key_id=known["S3_KEY"],
        aws_secret_access_key=known["S3_SECRET"], region_name="us-east-1",
    )  # fmt: skip
    objects = {
        bucket: {entry["Key"]: entry["Size"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]}
        for bucket in BUCKETS
    }
    assert [size for key, size in objects[BUCKETS[0]].items() if key.endswith("bento.tar") and size > 1_000_000]
    assert [key for key in objects[BUCKETS[1]] if key.endswith("model.skops")]


@pytest.mark.usefixtures("outcome")
def test_what_was_trained_there_is_served_here(remote: Remote) -> None:
    with serving(remote) as service:
        service.wait_for_version("1")


@pytest.mark.usefixtures("outcome")
def test_a_trigger_long_after_the_first_run_works_and_a_second_one_with_its_id_does_nothing(
    remote: Remote, running: Lab, airflow: AirflowClient
) -> None:
    """A token that is bound to a run is dead by now: it lives for seconds here, and for an hour elsewhere."""
    time.sleep(TOKEN_LIFE + 1)
    token = delivered(running)[1]["tasks"][0]["environment"]["ZENML_STORE_API_TOKEN"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims.get("schedule_id")
    assert "pipeline_run_id" not in claims
    before = len(runs(remote))
    assert airflow.trigger("alert-4711", "drift") is True
    assert airflow.trigger("alert-4711", "drift") is False
    assert airflow.wait("alert-4711", every=2, limit=60 * MINUTES) == "success"
    assert airflow.trigger("alert-4711", "drift") is False
    assert len(runs(remote)) == before + 1


@pytest.mark.usefixtures("outcome")
def test_an_alert_retrains_there_through_the_monitor_service(remote: Remote, airflow: AirflowClient) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    watch = remote.start("watch", "--port", str(port))
    try:
        wait_for("the monitor service answers", lambda: answers(f"{address}/health"), 120)
        alert_token, reports_token = (
            {"Authorization": f"Bearer {(remote.state / name).read_text().strip()}"}
            for name in ("alert-token", "reports-token")
        )
        asked = alert("0badc0de", model_name="rakuten-embedded")
        sent = httpx.post(f"{address}/alerts", json=webhook(asked), headers=alert_token, timeout=30)
        assert [entry["decision"] for entry in sent.json()["decisions"]] == ["started"]

        def retrainings() -> list[dict[str, Any]]:
            answer = httpx.get(f"{address}/decisions", headers=reports_token, timeout=30)
            found: list[dict[str, Any]] = answer.json()["retrainings"]
            return found

        wait_for("its end", lambda: retrainings()[0]["outcome"] != "under way", 60 * MINUTES)
        (done,) = retrainings()
        assert (done["outcome"], done["model_version"]) == ("refused", "1"), done
        assert airflow.state(f"alert-{done['retraining']}") == "success"
    finally:
        watch.terminate()
        watch.wait(60)


@pytest.mark.usefixtures("outcome")
def test_published_again_it_runs_and_the_earlier_schedule_ends_with_its_token(remote: Remote) -> None:
    done = remote.run("--size", "600", timeout=60 * MINUTES)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = "from zenml.client import Client; print(len(Client().list_schedules().items))"
    left = subprocess.run(
        [sys.executable, "-c", listed], env=remote.environment(), capture_output=True, text=True, check=True
    )
    assert left.stdout.splitlines()[-1] == "1"
