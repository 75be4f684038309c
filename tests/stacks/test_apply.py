"""Applying a stack file makes ZenML's stack what the file says, and changes nothing else."""

import pytest
from zenml.client import Client
from zenml.enums import StackComponentType

from stacks.apply import apply, plan
from stacks.files import Component, StackError, StackFile
from tests.stacks.conftest import Trial

TRACKER = StackComponentType.EXPERIMENT_TRACKER


@pytest.fixture
def stack(trial: Trial) -> StackFile:
    """A stack like `local`, under a name of its own."""
    return trial("local")


def test_the_first_apply_creates_the_stack_and_the_second_changes_nothing(stack: StackFile) -> None:
    assert apply(stack) == [
        "experiment_tracker trial_mlflow_local created", "stack trial created", "stack trial activated",
    ]  # fmt: skip
    assert apply(stack) == []
    assert Client().active_stack_model.name == "trial"


def test_a_change_in_the_file_is_applied_and_undone(stack: StackFile) -> None:
    apply(stack)
    elsewhere = Component(
        flavor="mlflow", name="trial_mlflow_local", configuration={"tracking_uri": "sqlite:///other.db"}
    )
    moved = stack.model_copy(update={"components": {**stack.components, TRACKER: elsewhere}})
    assert apply(moved) == ["experiment_tracker trial_mlflow_local: tracking_uri unset -> sqlite:///other.db"]
    assert apply(moved) == []
    assert apply(stack) == ["experiment_tracker trial_mlflow_local: tracking_uri sqlite:///other.db -> unset"]
    component = Client().get_stack_component(TRACKER, "trial_mlflow_local")
    assert not component.configuration.get("tracking_uri")


def test_a_component_removed_in_zenml_is_added_again(stack: StackFile) -> None:
    apply(stack)
    Client().update_stack("trial", component_updates={TRACKER: []})
    assert apply(stack) == ["stack trial got the components of its file"]
    assert TRACKER in Client().get_stack("trial").components


def test_a_value_set_in_zenml_and_not_in_the_file_is_unset(stack: StackFile) -> None:
    apply(stack)
    Client().update_stack_component("trial_mlflow_local", TRACKER, configuration={"tracking_insecure_tls": True})
    assert [change.text for change in plan(stack)] == [
        "experiment_tracker trial_mlflow_local: tracking_insecure_tls True -> unset"
    ]
    apply(stack)
    assert plan(stack) == []


def test_a_plan_changes_nothing(stack: StackFile) -> None:
    assert len(plan(stack)) == len(plan(stack)) == 2
    assert not Client().list_stacks(name="trial").items


def test_the_stack_gets_environment_and_secrets_of_its_file(stack: StackFile) -> None:
    Client().create_secret("trial_ledger", values={"DATABASE_URL": "sqlite:////nowhere.db"})
    full = stack.model_copy(update={"secrets": ["trial_ledger"], "environment": {"REGION": "north"}})
    apply(full)
    assert plan(full) == []
    now = Client().get_stack("trial")
    assert now.environment == {"REGION": "north"}
    assert [Client().get_secret(secret).name for secret in now.secrets] == ["trial_ledger"]
    assert apply(stack) == ["stack trial: environment REGION", "stack trial got the secrets of its file"]
    assert plan(stack) == []


def test_a_missing_secret_is_named_with_the_command_that_creates_it(stack: StackFile) -> None:
    with pytest.raises(StackError, match=r"trial\.yaml refers to the ZenML secret 'trial_ledger'.*zenml secret create"):
        plan(stack.model_copy(update={"secrets": ["trial_ledger"]}))


def test_no_password_is_shown(stack: StackFile) -> None:
    apply(stack)
    login = {"tracking_uri": "http://127.0.0.1:9", "tracking_username": "me", "tracking_password": "hush-hush"}
    closed = Component(flavor="mlflow", name="trial_mlflow_local", configuration=login)
    (change,) = plan(stack.model_copy(update={"components": {**stack.components, TRACKER: closed}}))
    assert "tracking_password changed" in change.text
    assert "hush-hush" not in change.text


def test_switching_back_and_forth_changes_no_stack(trial: Trial) -> None:
    local, containers = trial("local"), trial("containers").model_copy(update={"name": "trial-containers"})
    apply(local)
    before = Client().get_stack("trial").model_dump_json(exclude={"updated"})
    try:
        apply(containers)
        assert Client().active_stack_model.name == "trial-containers"
        assert apply(local) == ["stack trial activated"]
        assert apply(containers) == ["stack trial-containers activated"]
        assert apply(local) == ["stack trial activated"]
        assert Client().get_stack("trial").model_dump_json(exclude={"updated"}) == before
    finally:
        Client().activate_stack("trial")
        Client().delete_stack("trial-containers")


def test_a_component_of_another_flavor_is_refused(stack: StackFile) -> None:
    apply(stack)
    other = Component(flavor="wandb", name="trial_mlflow_local")
    with pytest.raises(StackError, match="exists with the flavor 'mlflow', not 'wandb'"):
        apply(stack.model_copy(update={"components": {**stack.components, TRACKER: other}}))


def test_a_configuration_that_the_flavor_refuses_is_named_with_its_component(stack: StackFile) -> None:
    apply(stack)
    open_server = Component(
        flavor="mlflow", name="trial_mlflow_local", configuration={"tracking_uri": "http://127.0.0.1:9"}
    )
    with pytest.raises(StackError, match=r"trial_mlflow_local.*exactly one authentication method"):
        apply(stack.model_copy(update={"components": {**stack.components, TRACKER: open_server}}))


def test_a_password_from_the_environment_may_be_a_reference_to_a_secret(trial: Trial) -> None:
    Client().create_secret("trial_mlflow", values={"password": "hush-hush"})
    login = {"TRACKER_URI": "http://127.0.0.1:9", "TRACKER_USERNAME": "me"}
    apply(trial("local", **login, TRACKER_PASSWORD="{{trial_mlflow.password}}"))
    component = Client().get_stack_component(TRACKER, "trial_mlflow_local")
    assert component.configuration["tracking_password"] == "{{trial_mlflow.password}}"
    assert Client().active_stack.experiment_tracker.config.tracking_password == "hush-hush"
