"""The monitoring pipeline as a command: verdicts, reports and errors."""

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import mlflow
import pandas as pd
import pytest

import run
from catalog.language import detect_language
from catalog.synthetic import generate, generate_traffic
from catalog.taxonomy import RAKUTEN
from ledger.database import migrate, open_engine, writing
from ledger.feedback import give_feedback
from ledger.predictions import PredictionRecord, store_predictions
from stacks.active import connect_tracker
from state.folder import State
from tracking.model_files import load_classifier
from tracking.promotions import promote

NAME = "watched-shop"
Monitor = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def taxonomy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with two versions: the first trained on 1,500 listings, the second, in production, on 4,000."""
    folder = tmp_path_factory.mktemp("shop")
    path = folder / f"{NAME}.csv"
    pd.DataFrame({"code": list(RAKUTEN.labels), "label": list(RAKUTEN.labels.values())}).to_csv(path, index=False)
    for rows in (1_500, 4_000):
        frame = generate(4_000).head(rows).set_index("index").rename_axis(None)
        frame[["designation", "description", "productid", "imageid"]].to_csv(folder / "X_train.csv")
        frame[["prdtypecode"]].to_csv(folder / "Y_train.csv")
        arguments = ["train", "--data", str(folder), "--taxonomy", str(path), "--new-baseline"]
        assert run.main(arguments) == 0
    return path


@pytest.fixture
def monitor(taxonomy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    """Run the command on a ledger of this test; return the report with the exit code."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.delenv("PUSHGATEWAY_URL", raising=False)

    def start(*arguments: str) -> dict[str, Any]:
        outcome = tmp_path / "outcome.json"
        outcome.unlink(missing_ok=True)
        code = run.main(["monitor", "--taxonomy", str(taxonomy), "--json", str(outcome), *arguments])
        return {**(json.loads(outcome.read_text()) if outcome.exists() else {}), "code": code}

    return start


def fill(
    path: Path, kind: str, size: int, *, reviewed: int = 0, poisoned: int = 0, version: str = "2", seed: int = 5
) -> None:
    """Store the answers of a version to traffic; give right labels to `reviewed` of them, wrong ones to `poisoned`."""
    connect_tracker()
    model = load_classifier(mlflow.MlflowClient().get_model_version(NAME, version).source)
    listings = list(islice(generate_traffic(kind, seed), size))
    frame = pd.DataFrame({"designation": [one.title for one in listings],
                          "description": pd.Series([one.description for one in listings], dtype=object)})  # fmt: skip
    probabilities = model.predict_proba(frame)
    codes, confidences = model.classes_[probabilities.argmax(axis=1)].tolist(), probabilities.max(axis=1).tolist()
    now = datetime.now(UTC)
    records = [
        PredictionRecord(
            f"{kind}-{version}-{row}", "ulf", one.title, one.description, code, confidence, confidence < 0.5, False,
            detect_language(f"{one.title} {one.description or ''}"), NAME, version, now - timedelta(minutes=row % 60),
        )
        for row, (one, code, confidence) in enumerate(zip(listings, codes, confidences, strict=True))
    ]  # fmt: skip
    url = f"sqlite:///{path / 'ledger.db'}"
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        store_predictions(connection, records)
        for record, one in list(zip(records, listings, strict=True))[:reviewed]:
            give_feedback(connection, record.id, one.code, "rita", "reviewer", now)
        for record in records[reviewed : reviewed + poisoned]:
            wrong = 1940 if record.predicted_code != 1940 else 10
            give_feedback(connection, record.id, wrong, "mallory", "user", now)
    engine.dispose()


def folder() -> Path:
    return State.chosen(None).folder / "monitoring"


def test_without_predictions_the_verdict_is_insufficient_data(monitor: Monitor) -> None:
    report = monitor()
    assert (report["code"], report["verdict"]) == (0, "insufficient_data")
    assert report["quality"]["agreement"] is None
    assert report["drift"]["text"] is None
    assert (folder() / "latest.html").read_text() == (folder() / f"{report['run']}.html").read_text()


def test_normal_traffic_is_ok_and_many_wrong_labels_of_one_user_are_reported_without_effect(
    monitor: Monitor, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from zenml.client import Client

    fill(tmp_path, "normal", 2_000, reviewed=400, poisoned=1_000)
    fill(tmp_path, "drifted", 500, version="1")  # answered by another version, so not in this window
    report = monitor()
    assert (report["code"], report["verdict"], report["model_version"]) == (0, "ok", "2")
    assert report["window"]["rows"] == 2_000
    quality = report["quality"]
    assert (quality["verdict"], quality["rows"], quality["users_rows"]) == ("ok", 400, 1_000)
    assert any("mallory (user) gave feedback 1,000 times" in reason for reason in report["reasons"])
    assert "mallory" in capfd.readouterr().out

    page = (folder() / "latest.html").read_text()
    assert "mallory" in page
    assert page.count("<script") == 1, "the one that sorts tables"
    assert "http" not in page
    assert json.loads((folder() / "latest.json").read_text()) == {
        key: value for key, value in report.items() if key != "code"
    }
    last = json.loads((folder() / "history.jsonl").read_text().splitlines()[-1])
    assert (last["run"], last["verdict"], last["current_rows"]) == (report["run"], "ok", 2_000)
    assert (folder() / last["html"]).is_file()
    assert not (folder() / f"{report['run']}-evidently.html").exists()

    zenml_run = Client().get_pipeline_run(report["run"])
    shown = zenml_run.steps["publish_verdict"].outputs["monitoring_page"][0]
    assert shown.load() == page
    assert "page" in {tag.name for tag in shown.tags}
    came_of_it = zenml_run.run_metadata
    assert (came_of_it["verdict"], came_of_it["predictions"]) == ("ok", 2_000)
    assert "mallory" not in str(came_of_it)
    assert "ok" in {tag.name for tag in zenml_run.tags}
    connect_tracker()
    tracked = mlflow.search_runs(search_all_experiments=True, filter_string="tags.verdict = 'ok'").iloc[0]
    assert tracked["metrics.quality.agreement"] == pytest.approx(quality["agreement"])


def test_no_text_of_a_listing_reaches_the_artifact_store(monitor: Monitor, tmp_path: Path) -> None:
    from zenml.client import Client

    fill(tmp_path, "normal", 300, reviewed=60)
    report = monitor()
    title = next(generate_traffic("normal", 5)).title
    steps = Client().get_pipeline_run(report["run"]).steps
    stored = [artifact[0].load() for step in steps.values() for artifact in step.outputs.values()]
    assert len(stored) == 7
    assert not any(title in str(value) for value in stored)


def test_drifted_traffic_is_drift_and_stores_evidentlys_page(monitor: Monitor, tmp_path: Path) -> None:
    fill(tmp_path, "drifted", 1_000, reviewed=300)
    report = monitor()
    assert (report["verdict"], report["drift"]["verdict"], report["quality"]["verdict"]) == ("drift",) * 3
    assert (folder() / f"{report['run']}-evidently.html").stat().st_size > 1_000_000


def test_after_a_rollback_window_and_reference_belong_to_the_earlier_version(
    monitor: Monitor, taxonomy: Path, tmp_path: Path
) -> None:
    fill(tmp_path, "normal", 300)
    second = monitor()
    assert run.main(["rollback", "--taxonomy", str(taxonomy)]) == 0
    try:
        first = monitor()
    finally:
        connect_tracker()
        promote(NAME, "2", "back again", against="1")
        from zenml.client import Client

        tags = mlflow.MlflowClient().get_model_version(NAME, "2").tags
        Client().get_model_version(NAME, tags["mirror"]).to_model_class().set_stage("production", force=True)
    assert (second["model_version"], second["window"]["rows"]) == ("2", 300)
    assert (first["model_version"], first["window"]["rows"]) == ("1", 0)
    assert first["window"]["reference_rows"] < second["window"]["reference_rows"] / 2


def test_a_ledger_that_cannot_be_read_is_an_error_with_its_address(
    monitor: Monitor, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to be taken for one" * 10)
    assert monitor() == {"code": 1}
    complaint = capfd.readouterr().err
    assert f"the ledger at sqlite:///{tmp_path / 'ledger.db'} cannot be read" in complaint
    assert "Traceback" not in complaint


def test_without_a_version_in_production_monitoring_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "untrained.csv"
    other.write_text("code,label\n1,A\n2,B\n")
    assert run.main(["monitor", "--taxonomy", str(other)]) == 1
    assert "model 'untrained' has no version in production yet" in capfd.readouterr().err


def test_an_unknown_key_in_the_configuration_is_an_error(
    monitor: Monitor, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("drift:\n  minimum_row: 5\n")
    assert monitor("--config", str(config)) == {"code": 1}
    assert f"{config}: drift.minimum_row: Extra inputs are not permitted" in capfd.readouterr().err


def test_an_unreachable_pushgateway_is_reported_and_no_error(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PUSHGATEWAY_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        report = monitor()
    assert report["code"] == 0
    assert "cannot be reached" in report["pushgateway"]


@pytest.fixture
def pushgateway() -> Iterator[str]:
    binary = shutil.which("prometheus-pushgateway") or shutil.which("pushgateway")
    if binary is None:
        pytest.skip("no pushgateway is installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen([binary, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            assert process.poll() is None, "the pushgateway has ended: was its port taken?"
            try:
                httpx.get(f"http://{address}/-/ready", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                sleep(0.1)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def test_a_figure_that_is_no_longer_measured_is_removed_from_the_pushgateway(
    monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pushgateway: str
) -> None:
    monkeypatch.setenv("PUSHGATEWAY_URL", pushgateway)
    fill(tmp_path, "normal", 300, reviewed=100)
    assert monitor()["pushgateway"] == "pushed"
    measured = httpx.get(f"{pushgateway}/metrics", trust_env=False).text
    labels = f'instance="",job="product_types_monitoring",model_name="{NAME}",model_version="2"'
    assert f'monitoring_verdict{{{labels},verdict="ok"}} 1' in measured
    assert f'monitoring_verdict{{{labels},verdict="drift"}} 0' in measured
    for name in ("quality_weighted_f1_ratio", "quality_agreement_upper_ratio", "text_drift_auc_ratio", "current_rows"):
        assert f"monitoring_{name}{{{labels}}}" in measured
    (tmp_path / "ledger.db").unlink()
    assert monitor()["verdict"] == "insufficient_data"
    served = httpx.get(f"{pushgateway}/metrics", trust_env=False).text.splitlines()
    left = "\n".join(line for line in served if f'model_name="{NAME}"' in line)
    assert f"monitoring_current_rows{{{labels}}} 0" in left
    assert (
        f'monitoring_last_success_timestamp_seconds{{instance="",job="product_types_monitoring",model_name="{NAME}"}}'
        in left
    )
    for name in ("monitoring_quality", "monitoring_drift", "monitoring_text"):
        assert name not in left, "a figure of an earlier run is still there"
