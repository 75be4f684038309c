"""A component that does not answer is named with its address and its file, before any step runs."""

import re
from pathlib import Path

import pytest
from zenml.client import Client

import run
from stacks.apply import apply
from stacks.files import StackError
from stacks.health import examine, require_healthy
from tests.stacks.conftest import Trial

CLOSED = "127.0.0.1:9"


def problem_of(kind: str) -> str:
    return next(status.problem for status in examine() if status.kind == kind)


@pytest.fixture
def remote(trial: Trial, tmp_path: Path) -> None:
    """The stack `airflow`, where nothing answers at any address."""
    values = {"s3_key": "key", "s3_secret": "secret", "tracker_username": "me", "tracker_password": "hush-hush"}
    Client().create_secret("product_types_stores", values=values)
    Client().create_secret("product_types_ledger", values={"DATABASE_URL": "postgresql://nowhere/ledger"})
    apply(
        trial(
            "airflow",
            AIRFLOW_DAGS=f"{tmp_path}/missing",
            S3_ENDPOINT=f"http://{CLOSED}",
            REGISTRY=f"{CLOSED}/product-types",
            TRACKER_URI=f"http://{CLOSED}",
        )
    )


def test_a_local_stack_is_healthy() -> None:
    from stacks.active import ensure_stack

    ensure_stack()
    assert not [status.problem for status in examine() if status.problem]
    require_healthy()


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("experiment tracker", f"'trial_mlflow_server' of the stack 'trial'.*does not answer at http://{CLOSED}"),
        ("artifact store", f"'trial_s3' of the stack 'trial'.*does not answer at http://{CLOSED}"),
        ("container registry", f"'trial_registry' of the stack 'trial'.*does not answer at http://{CLOSED}"),
        ("orchestrator", "'trial_airflow' of the stack 'trial'.*folder .*missing, which is not writable"),
    ],
)
def test_a_component_that_does_not_answer_is_named_with_its_address(kind: str, words: str) -> None:
    problem = problem_of(kind)
    assert re.search(words, problem), problem
    assert "hush-hush" not in problem


@pytest.mark.usefixtures("remote")
def test_a_run_on_a_stack_that_does_not_answer_ends_before_any_step(capfd: pytest.CaptureFixture[str]) -> None:
    before = Client().list_pipeline_runs().total
    assert run.main(["train", "--size", "400"]) == 1
    said = capfd.readouterr().err
    assert said.startswith("error: the ")
    assert said.count("the experiment tracker 'trial_mlflow_server'") == 1
    assert "Traceback" not in said
    assert Client().list_pipeline_runs().total == before


@pytest.mark.usefixtures("remote")
def test_doctor_shows_every_component(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["doctor"]) == 1
    said = " ".join(capfd.readouterr().out.split())
    for kind in ("orchestrator", "artifact store", "container registry", "image builder", "experiment tracker"):
        assert kind in said


@pytest.mark.usefixtures("remote")
def test_a_deleted_secret_is_named() -> None:
    Client().delete_secret("product_types_stores")
    assert "refers to the ZenML secret 'product_types_stores', which does not exist" in problem_of("artifact store")


def test_the_file_of_the_stack_is_named(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"TRACKER_URI": f"http://{CLOSED}", "TRACKER_USERNAME": "me", "TRACKER_PASSWORD": "hush-hush"}
    apply(trial("local", **login).model_copy(update={"name": "containers"}))
    try:
        with pytest.raises(StackError, match=r"stacks/containers\.yaml\) does not answer"):
            require_healthy()
    finally:
        Client().activate_stack("default")
        Client().delete_stack("containers")


def test_the_stack_verb_lists_shows_and_applies(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["stack", "list"]) == 0
    listed = capfd.readouterr().out
    assert all(name in listed for name in ("local", "containers", "airflow", "kubernetes"))
    assert run.main(["stack", "apply", "local"]) == 0
    assert run.main(["stack", "diff", "local"]) == 0
    assert run.main(["stack", "apply", "local"]) == 0
    assert "no changes" in capfd.readouterr().out
    assert run.main(["stack", "apply", "airflow", "--dry-run"]) == 1
    assert "airflow.yaml needs the environment variable AIRFLOW_DAGS" in capfd.readouterr().err
