"""Reconcile a stack file with ZenML, and look at the stack that is active. Knows ZenML and nothing of this project."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType, StoreType

FOLDER = Path(__file__).parent
BARE = "default"  # the stack that ZenML itself creates: without a tracker
_PATIENCE = 10  # seconds for a server to show that it is there
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class StackError(RuntimeError):
    """A stack file cannot be used, or the active stack lacks what the pipelines need."""


class Component(BaseModel):
    """A stack component as the file states it; empty configuration values are left to the flavor's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flavor: str
    name: str
    configuration: dict[str, Any] = {}


class StackFile(BaseModel):
    """The stack in one file: its components, and the settings that go into every run on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    components: dict[StackComponentType, Component] = Field(min_length=2)
    settings: dict[str, Any] = {}


def read_stack(name: str) -> StackFile:
    """Read `stacks/NAME.yaml` with `${VARIABLE:-default}` filled in from the environment.

    Raises `StackError` naming the file and what is wrong in it, a variable without value or default included.
    """
    path = FOLDER / f"{name}.yaml"
    try:
        return StackFile.model_validate(_fill_in(yaml.safe_load(path.read_text(encoding="utf-8")), path))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise StackError(f"there is no stack file {path.name} in {FOLDER}; there are: {known}") from None
    except yaml.YAMLError as error:
        raise StackError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()]
        raise StackError(f"{path}: {'; '.join(problems)}") from None


def apply(stack: StackFile) -> list[str]:
    """Make ZenML's stack what the file says and activate it; return what was changed, in plain words."""
    client = Client()
    changes: list[str] = []
    wanted = {kind: _apply_component(client, kind, component, changes) for kind, component in stack.components.items()}
    try:
        existing = client.get_stack(stack.name, allow_name_prefix_match=False)
    except KeyError:
        existing = client.create_stack(stack.name, components=dict(wanted))
        changes.append(f"stack {stack.name} created")
    else:
        present = {kind: [component.id for component in found] for kind, found in existing.components.items()}
        if present != {kind: [identity] for kind, identity in wanted.items()}:
            gone: dict[StackComponentType, list[UUID | str]] = {kind: [] for kind in present if kind not in wanted}
            client.update_stack(
                existing.id, component_updates={**{kind: [identity] for kind, identity in wanted.items()}, **gone}
            )
            changes.append(f"stack {stack.name} got the components of its file")
    if client.active_stack_model.id != existing.id:
        client.activate_stack(existing.id)
        changes.append(f"stack {stack.name} activated")
    return changes


def ensure_stack() -> str:
    """Return the name of the active stack; on a bare install apply and activate `local` first.

    Raises `StackError` when ZenML's server does not answer, or the active stack has no experiment tracker.
    """
    _reach_server()
    if Client().active_stack_model.name == BARE:
        apply(read_stack("local"))
        _answer_survey(Client())
    stack = Client().active_stack_model
    if StackComponentType.EXPERIMENT_TRACKER not in stack.components:
        raise StackError(
            f"the active stack '{stack.name}' has no experiment tracker, which training needs; add one with "
            f"'zenml stack update {stack.name} -e NAME', or switch with 'zenml stack set local'"
        )
    return stack.name


def connect_tracker() -> str:
    """Point MLflow in this process at the active stack's tracker and return its address, without credentials."""
    ensure_stack()
    from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker

    tracker = Client().active_stack.experiment_tracker
    if not isinstance(tracker, MLFlowExperimentTracker):
        flavor = tracker.flavor if tracker else "none"
        raise StackError(f"the experiment tracker of the active stack is of the flavor '{flavor}', not 'mlflow'")
    tracker.configure_mlflow()
    return str(tracker.get_tracking_uri(as_plain_text=False))


def settings_of(name: str) -> dict[str, Any]:
    """Return the run settings in the file of a stack; a stack without a file has none."""
    return read_stack(name).settings if (FOLDER / f"{name}.yaml").is_file() else {}


def _reach_server() -> None:
    """Look whether the server that ZenML is logged in to, if any, is there: ZenML itself tries for half a minute."""
    store = GlobalConfiguration().store_configuration
    if store.type is not StoreType.REST:
        return
    try:
        requests.get(f"{store.url}/health", verify=getattr(store, "verify_ssl", True), timeout=_PATIENCE)
    except requests.RequestException as error:
        local = urlsplit(store.url).hostname in ("127.0.0.1", "localhost")
        raise StackError(
            f"ZenML is logged in to the server {store.url}, which does not answer: "
            f"{'start it again with `zenml login --local`' if local else 'see to it'}, or leave it with `zenml logout`"
        ) from error


def _answer_survey(client: Client) -> None:
    """Say no, once, to the form that the dashboard of a fresh install puts first: it asks for an address for news."""
    user = client.active_user
    if user.email_opted_in is None:
        answered = {**user.user_metadata, "finished_onboarding_survey": True}
        client.update_user(user.id, updated_email_opt_in=False, updated_metadata=answered)


def _apply_component(client: Client, kind: StackComponentType, component: Component, changes: list[str]) -> UUID:
    wanted = {key: value for key, value in component.configuration.items() if value not in ("", None)}
    try:
        return _reconcile(client, kind, component, wanted, changes)
    except ValidationError as error:
        problems = "; ".join(entry["msg"] for entry in error.errors())
        raise StackError(f"the {kind.value} '{component.name}' cannot be configured so: {problems}") from None


def _reconcile(
    client: Client, kind: StackComponentType, component: Component, wanted: dict[str, Any], changes: list[str]
) -> UUID:
    try:
        existing = client.get_stack_component(kind, component.name, allow_name_prefix_match=False)
    except KeyError:
        created = client.create_stack_component(component.name, component.flavor, kind, configuration=wanted)
        changes.append(f"{kind.value} {component.name} created")
        return created.id
    if existing.flavor_name != component.flavor:
        raise StackError(
            f"the {kind.value} '{component.name}' exists with the flavor '{existing.flavor_name}', not "
            f"'{component.flavor}': a component's flavor cannot change, so give it another name in the stack file"
        )
    present = {key: value for key, value in existing.configuration.items() if value not in ("", None)}
    # Values that the file leaves to the default are not compared: ZenML fills some of them in.
    difference = {key: value for key, value in wanted.items() if present.get(key) != value}
    difference |= {key: None for key in component.configuration if key in present and key not in wanted}
    if difference:
        client.update_stack_component(existing.id, kind, configuration=difference)
        changes.append(f"{kind.value} {component.name}: {', '.join(sorted(difference))} changed")
    return existing.id


def _fill_in(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(entry, path) for key, entry in value.items()}
    if isinstance(value, list):
        return [_fill_in(entry, path) for entry in value]
    return _VARIABLE.sub(lambda found: _variable(found, path), value) if isinstance(value, str) else value


def _variable(found: re.Match[str], path: Path) -> str:
    name, default = found.groups()
    value = os.environ.get(name, default)
    if value is None:
        raise StackError(f"{path} needs the environment variable {name}, which is not set and has no default there")
    return value
