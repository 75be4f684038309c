"""The rules of retention: what stays, what goes with all that belongs to it, and copies of erased listings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import mlflow
import pandas as pd
import pytest
from zenml import ArtifactConfig, Model, pipeline, step
from zenml.client import Client

from commands import retention
from commands.after_run import apply_after_run
from commands.erasure import erase_copies
from commands.retention import remove_stored, select
from pipelines.config import RetentionConfig, RunRules
from stacks import run_history
from stacks.active import connect_tracker
from stacks.run_history import StoredRun
from state.folder import State
from steps.materializers import TableMaterializer
from tracking import registry
from tracking.evaluation_run import REFERENCE_FILE
from tracking.model_files import read_reference
from tracking.registry import PRODUCTION

NAME = "kept-shop"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ERASED, KEPT = "prediction-1", "prediction-2"


def stored(name: str, days: float, *, model: str = "shop", under_way: bool = False) -> StoredRun:
    return StoredRun(uuid4(), name, "training", model, NOW - timedelta(days=days), under_way)


def going(runs: list[StoredRun], rules: RunRules, needed: set[str] = frozenset(), sources: Any = ()) -> list[str]:  # type: ignore[assignment]
    return [run.name for run in select(runs, rules, needed, sources, NOW).going]


def test_the_newest_runs_of_each_model_stay() -> None:
    runs = [stored("a1", 1), stored("b1", 2, model="other"), stored("a2", 3), stored("a3", 4)]
    assert going(runs, RunRules(runs=2)) == ["a3"]
    assert going(runs, RunRules(runs=1)) == ["a2", "a3"]
    assert going(runs, RunRules()) == []


def test_old_runs_go_and_the_newest_one_stays_whatever_its_age() -> None:
    runs = [stored("a1", 100), stored("a2", 101)]
    assert going(runs, RunRules(days=90)) == ["a2"]
    assert going(runs, RunRules(days=200)) == []


def test_runs_that_something_needs_stay_and_the_reason_is_known() -> None:
    runs = [
        stored("now", 1),
        stored("busy", 1, under_way=True),
        stored("served", 9),
        stored("cached", 9),
        stored("x", 9),
    ]
    selection = select(runs, RunRules(runs=1), {"served"}, {runs[3].id}, NOW)
    assert [run.name for run in selection.going] == ["x"]
    assert {why: [run.name for run in found] for why, found in selection.staying.items()} == {
        "recent": ["now"], "under way": ["busy"], "needed by a version": ["served"],
        "needed by a cached step": ["cached"],
    }  # fmt: skip


def test_a_run_that_was_killed_days_ago_is_not_under_way_for_ever() -> None:
    assert going([stored("now", 1), stored("killed", 3, under_way=True)], RunRules(runs=1)) == ["killed"]


def test_what_prevents_the_removal_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("training: {runs: -1}")
    apply_after_run(State(tmp_path, moved=True), rules, "training")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:9/shop")
    rules.write_text("rollbacks: 3")
    apply_after_run(State(tmp_path, moved=True), rules, "monitoring")
    warnings = capfd.readouterr().out
    assert warnings.count("warning: what is outdated could not be removed") == 2
    assert "training.runs: Input should be greater than or equal to 0" in " ".join(warnings.split())
    assert "'python run.py purge' tries again" in " ".join(warnings.split())


def table(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "prediction_id": [None, ERASED, KEPT][: number + 1],
            "designation": ["from a file", "a private text", "another text"][: number + 1],
            "origin": ["listing", "reviewed", "reviewed"][: number + 1],
        }
    )


@step(enable_cache=False, output_materializers=TableMaterializer)
def read_some_feedback(number: int) -> Annotated[pd.DataFrame, ArtifactConfig(name="feedback")]:
    return table(number)[1:].reset_index(drop=True)


@step(output_materializers=TableMaterializer)
def prepare_some_listings(number: int) -> Annotated[pd.DataFrame, ArtifactConfig(name="listings")]:
    return table(number)


@step(enable_cache=False, experiment_tracker=True)
def learn_something(listings: pd.DataFrame, folder: str) -> Annotated[str, ArtifactConfig(name="learned")]:
    path = Path(folder) / REFERENCE_FILE
    listings.to_parquet(path)
    mlflow.log_artifact(str(path))
    return "something"


@pipeline(name="training", tags=["product-types"])
def small_training(number: int, feedback: int, folder: str) -> None:
    read_some_feedback(feedback)
    learn_something(prepare_some_listings(number), folder)


def train(run: int, number: int, feedback: int, folder: Path) -> None:
    name = f"{NAME}-training-{run}"
    configured = small_training.with_options(run_name=name, model=Model(name=NAME))
    configured(number=number, feedback=feedback, folder=str(folder))
    connect_tracker()  # the run has disconnected it


def own_runs() -> list[StoredRun]:
    """The runs of this module: the other tests of the session share its ZenML."""
    return [run for run in run_history.stored_runs("training") if run.model == NAME]


def tracked_by(number: int) -> str:
    [run] = [run for run in own_runs() if run.name.endswith(f"-{number}")]
    tracked = run_history.tracker_run_of(run)
    assert tracked
    return tracked


def files_of(run: StoredRun) -> list[Path]:
    steps = Client().list_run_steps(pipeline_run_id=run.id, hydrate=True).items
    artifacts = [artifact for step in steps for found in step.outputs.values() for artifact in found]
    logs = [log.uri for step in steps for log in step.log_collection or [] if log.uri]
    return [path for path in map(Path, [*(artifact.uri for artifact in artifacts), *logs]) if path.exists()]


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[State]:
    """The stack, and rules that see the runs of this module alone."""
    connect_tracker()
    every = run_history.stored_runs
    monkeypatch.setattr(run_history, "stored_runs", lambda name: [run for run in every(name) if run.model == NAME])
    yield State(tmp_path, moved=True)
    for run in own_runs():
        run_history.delete_run(run)
    client = mlflow.MlflowClient()
    if client.search_registered_models(f"name = '{NAME}'"):
        client.delete_registered_model(NAME)


RULES = RetentionConfig(training=RunRules(runs=1), monitoring=RunRules(), rollbacks=1)


def test_the_runs_that_are_outdated_go_with_all_that_is_theirs(isolated: State, tmp_path: Path) -> None:
    for run, number in ((1, 0), (2, 1), (3, 1), (4, 0)):  # run 4 has a cached step of run 1, run 3 of run 2
        train(run, number, 0, tmp_path)
    tracked = {run: tracked_by(run) for run in range(1, 5)}
    client = mlflow.MlflowClient()
    client.create_registered_model(NAME)
    for run in (2, 3):
        client.create_model_version(NAME, tmp_path.as_uri(), tracked[run])
    client.set_registered_model_alias(NAME, PRODUCTION, "1")
    runs = {int(run.name[-1]): run for run in own_runs()}
    files = {number: files_of(run) for number, run in runs.items()}
    shared = set(files[2]) & set(files[3])
    tracked_files = Path(mlflow.get_run(tracked[3]).info.artifact_uri.removeprefix("file://"))
    assert all(len(paths) > 3 for paths in files.values())  # three artifacts, and logs

    [shown, *_] = remove_stored(isolated, RULES, dry_run=True, measure=True)
    assert (shown.gone, shown.kept) == (1, 3)
    assert shown.freed
    assert len(own_runs()) == 4

    [done, *_] = remove_stored(isolated, RULES)
    assert (done.gone, done.why) == (1, "1 recent, 1 needed by a version, 1 needed by a cached step")
    assert sorted(run.name[-1] for run in own_runs()) == ["1", "2", "4"]
    assert {path for path in files[3] if path.exists()} == shared
    assert all(path.exists() for number in (1, 2, 4) for path in files[number])
    assert not tracked_files.exists()
    assert registry.existing_numbers(NAME) == {"1"}
    for run in (1, 2, 4):
        assert not read_reference(tracked[run]).empty

    train(5, 1, 0, tmp_path)
    [newest] = [run for run in own_runs() if run.name.endswith("-5")]
    [cached] = Client().list_run_steps(pipeline_run_id=newest.id, name="prepare_some_listings").items
    assert cached.status == "cached"


def test_copies_of_erased_listings_go_and_all_others_stay(isolated: State, tmp_path: Path) -> None:
    train(1, 0, 0, tmp_path)
    train(2, 2, 2, tmp_path)
    untouched, copies = (run_history.artifacts_of(run, ("feedback", "listings")) for run in reversed(own_runs()))
    assert [found.gone for found in erase_copies({"another prediction"})] == [0, 0]
    assert [found.gone for found in erase_copies({ERASED}, dry_run=True)] == [2, 1]
    assert all(Path(artifact.uri).exists() for artifact in (*untouched, *copies))
    assert [found.gone for found in erase_copies({ERASED})] == [2, 1]
    assert all(Path(artifact.uri).exists() for artifact in untouched)
    assert not any(Path(artifact.uri).exists() for artifact in copies)
    assert read_reference(tracked_by(2))["designation"].tolist() == ["from a file", "another text"]
    assert [found.gone for found in erase_copies({ERASED})] == [0, 0]


def test_a_second_erasure_finds_the_copies_of_a_run_whose_feedback_an_earlier_one_has_deleted(
    isolated: State, tmp_path: Path
) -> None:
    train(1, 2, 2, tmp_path)
    erase_copies({ERASED})
    assert read_reference(tracked_by(1))["designation"].tolist() == ["from a file", "another text"]
    assert [found.gone for found in erase_copies({KEPT})] == [0, 1]
    assert read_reference(tracked_by(1))["designation"].tolist() == ["from a file"]


def test_one_process_at_a_time_removes_something(isolated: State) -> None:
    from stacks.home import zenml_home
    from state.lock import LockedError, hold

    with hold(zenml_home() / retention._LOCK, "run.py purge"), pytest.raises(LockedError, match=r"run\.py purge"):
        remove_stored(isolated, RULES)
