"""Stack files and ZenML's stacks: reconciled both ways, and nothing else touched."""

import pytest
from zenml.client import Client
from zenml.enums import StackComponentType

from stacks.apply import apply, plan
from stacks.files import Component, StackError, StackFile
from tests.stacks.conftest import Trial

TRACKER = StackComponentType.EXPERIMENT_TRACKER


@pytest.fixture
def stack(trial: Trial) -> StackFile:
    """A stack like `local`."""
    return trial("local")


def test_the_first_application_creates_and_the_second_changes_nothing(stack: StackFile) -> None:
    assert apply(stack) == [
        "experiment_tracker trial_mlflow_local created", "stack trial created", "stack trial activated",
    ]  # fmt: skip
    assert apply(stack) == []
    assert Client().active_stack_model.name == "trial"


def test_a_change_in_the_file_is_carried_over_and_back(stack: StackFile) -> None:
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


def test_what_somebody_changed_in_zenml_is_mended(stack: StackFile) -> None:
    apply(stack)
    Client().update_stack("trial", component_updates={TRACKER: []})
    assert apply(stack) == ["stack trial got the components of its file"]
    assert TRACKER in Client().get_stack("trial").components


def test_what_somebody_changed_in_a_component_is_mended_where_the_file_says_nothing(stack: StackFile) -> None:
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


def test_environment_and_secrets_of_the_file_are_the_stacks(stack: StackFile) -> None:
    Client().create_secret("trial_ledger", values={"DATABASE_URL": "sqlite:////nowhere.db"})
    full = stack.model_copy(update={"secrets": ["trial_ledger"], "environment": {"REGION": "north"}})
    apply(full)
    assert plan(full) == []
    now = Client().get_stack("trial")
    assert now.environment == {"REGION": "north"}
    assert [Client().get_secret(secret).name for secret in now.secrets] == ["trial_ledger"]
    assert apply(stack) == ["stack trial: environment REGION", "stack trial got the secrets of its file"]
    assert plan(stack) == []


def test_a_secret_that_is_not_there_is_named_with_the_command_that_makes_it(stack: StackFile) -> None:
    with pytest.raises(StackError, match=r"trial\.yaml refers to the ZenML secret 'trial_ledger'.*zenml secret create"):
        plan(stack.model_copy(update={"secrets": ["trial_ledger"]}))


def test_no_password_is_shown(stack: StackFile) -> None:
    apply(stack)
    login = {"tracking_uri": "http://127.0.0.1:9", "tracking_username": "me", "tracking_password": "hush-hush"}
    closed = Component(flavor="mlflow", name="trial_mlflow_local", configuration=login)
    (change,) = plan(stack.model_copy(update={"components": {**stack.components, TRACKER: closed}}))
    assert "tracking_password changed" in change.text
    assert "hush-hush" not in change.text


def test_switching_back_and_forth_leaves_no_trace(trial: Trial) -> None:
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


def test_what_the_flavor_refuses_is_said_with_the_component(stack: StackFile) -> None:
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
