"""Reconcile a stack file with ZenML, and look at the stack that is active. Knows ZenML and nothing of this project."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
from pydantic import ValidationError
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType, StoreType
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import Flavor

from stacks.files import Component, StackError, StackFile, path_of, read_stack, stack_files

BARE = "default"  # the stack that ZenML itself creates: without a tracker
_PATIENCE = 10  # seconds for a server to show that it is there
_CONFIDENTIAL = ("password", "secret", "token", "key")


@dataclass(frozen=True)
class Change:
    """One difference between a stack file and ZenML, in plain words, and how to mend it."""

    text: str
    carry_out: Callable[[Client], object]


def plan(stack: StackFile) -> list[Change]:
    """Return what has to be done for ZenML's stack to be what the file says; nothing that the file does not name.

    Raises `StackError` when the file asks for what cannot be: another flavor under a name that is taken, a secret that
    is not there, a value that the flavor refuses.
    """
    client = Client()
    _require_secrets(client, stack)
    changes = [
        change
        for kind, component in stack.components.items()
        for change in _component_changes(client, kind, component, stack.name)
    ]
    existing = _stack_named(client, stack.name)
    return changes + ([_creation(stack)] if existing is None else _stack_changes(existing, stack))


def apply(stack: StackFile) -> list[str]:
    """Make ZenML's stack what the file says and activate it; return what was changed, in plain words."""
    client = Client()
    done = []
    for change in plan(stack):
        change.carry_out(client)
        done.append(change.text)
    wanted = client.get_stack(stack.name, allow_name_prefix_match=False)
    if client.active_stack_model.id != wanted.id:
        client.activate_stack(wanted.id)
        done.append(f"stack {stack.name} activated")
    return done


def standing(name: str) -> str:
    """Return how a stack file and ZenML stand to each other, in a few words."""
    try:
        stack = read_stack(name)
        if _stack_named(Client(), stack.name) is None:
            return "not applied"
        differences = len(plan(stack))
    except StackError as error:
        return str(error)
    return f"{differences} differences from its file" if differences else "as in its file"


def active_name() -> str:
    """Return the name of the active stack. Raises `StackError` when ZenML's server does not answer."""
    reach_server()
    return Client().active_stack_model.name


def ensure_stack() -> str:
    """Return the name of the active stack; on a bare install apply and activate `local` first.

    Raises `StackError` when ZenML's server does not answer, or the active stack has no experiment tracker.
    """
    if active_name() == BARE:
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


def file_of(name: str) -> StackFile | None:
    """Return the file of a stack, if it has one."""
    return read_stack(name) if name in stack_files() else None


def reach_server() -> None:
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


def _stack_named(client: Client, name: str) -> StackResponse | None:
    try:
        return client.get_stack(name, allow_name_prefix_match=False)
    except KeyError:
        return None


def _component_named(client: Client, kind: StackComponentType, name: str) -> ComponentResponse | None:
    try:
        return client.get_stack_component(kind, name, allow_name_prefix_match=False)
    except KeyError:
        return None


def _require_secrets(client: Client, stack: StackFile) -> None:
    for name, keys in stack.secrets_needed().items():
        values = " ".join(f"--{key}=…" for key in sorted(keys)) or "--DATABASE_URL=…"
        try:
            there = set(client.get_secret(name, allow_partial_name_match=False).values)
        except KeyError:
            raise StackError(
                f"{path_of(stack.name)} refers to the ZenML secret '{name}', which is not there; "
                f"make it with 'zenml secret create {name} {values}'"
            ) from None
        if missing := sorted(keys - there):
            raise StackError(
                f"{path_of(stack.name)} refers to {', '.join(missing)} in the ZenML secret '{name}', which has no such "
                f"key; add it with 'zenml secret update {name} {' '.join(f'--{key}=…' for key in missing)}'"
            )


def _component_changes(client: Client, kind: StackComponentType, component: Component, stack: str) -> list[Change]:
    wanted = _stated(component.configuration)
    existing = _component_named(client, kind, component.name)
    if existing is None:

        def create(client: Client) -> None:
            with _explained(kind, component, stack):
                client.create_stack_component(component.name, component.flavor, kind, configuration=wanted)

        return [Change(f"{kind.value} {component.name} created", create)]
    if existing.flavor_name != component.flavor:
        raise StackError(
            f"the {kind.value} '{component.name}' exists with the flavor '{existing.flavor_name}', not "
            f"'{component.flavor}': a component's flavor cannot change, so give it another name in {path_of(stack)}"
        )
    present = _stated(existing.configuration)
    difference = {key: value for key, value in wanted.items() if present.get(key) != value}
    # What the file leaves out is to be the flavor's default, which ZenML writes out for some values.
    usual = _defaults(client, kind, component.flavor)
    difference |= {key: None for key, value in present.items() if key not in wanted and value != usual.get(key)}
    if not difference:
        return []
    identity = existing.id

    def update(client: Client) -> None:
        with _explained(kind, component, stack):
            client.update_stack_component(identity, kind, configuration=difference)

    shown = ", ".join(_shown(key, present.get(key), value) for key, value in sorted(difference.items()))
    return [Change(f"{kind.value} {component.name}: {shown}", update)]


def _defaults(client: Client, kind: StackComponentType, flavor: str) -> dict[str, Any]:
    fields = Flavor.from_model(client.get_flavor_by_name_and_type(flavor, kind)).config_class.model_fields
    return {key: field.get_default(call_default_factory=False) for key, field in fields.items()}


def _creation(stack: StackFile) -> Change:
    def create(client: Client) -> None:
        created = client.create_stack(
            stack.name,
            components={kind: component.name for kind, component in stack.components.items()},
            secrets=[_secret_id(client, name) for name in stack.secrets],
        )
        if stack.environment:
            client.update_stack(created.id, environment=dict(stack.environment))

    return Change(f"stack {stack.name} created", create)


def _stack_changes(existing: StackResponse, stack: StackFile) -> list[Change]:
    changes = []
    present = {kind: [component.name for component in found] for kind, found in existing.components.items()}
    wanted = {kind: [component.name] for kind, component in stack.components.items()}
    if present != wanted:

        def compose(client: Client) -> None:
            gone: dict[StackComponentType, list[UUID | str]] = {kind: [] for kind in present if kind not in wanted}
            components: dict[StackComponentType, list[UUID | str]] = {kind: [*names] for kind, names in wanted.items()}
            client.update_stack(existing.id, component_updates={**components, **gone})

        changes.append(Change(f"stack {stack.name} got the components of its file", compose))
    environment = {key: stack.environment.get(key) for key in {*existing.environment, *stack.environment}}
    if different := {key: value for key, value in environment.items() if existing.environment.get(key) != value}:
        changes.append(
            Change(
                f"stack {stack.name}: environment {', '.join(sorted(different))}",
                lambda client: client.update_stack(existing.id, environment=different),
            )
        )
    client = Client()
    secrets = {_secret_id(client, name) for name in stack.secrets}
    if secrets != set(existing.secrets):
        added, removed = secrets - set(existing.secrets), set(existing.secrets) - secrets
        changes.append(
            Change(
                f"stack {stack.name} got the secrets of its file",
                lambda client: client.update_stack(
                    existing.id, add_secrets=list(added) or None, remove_secrets=list(removed) or None
                ),
            )
        )
    return changes


def _secret_id(client: Client, name: str) -> UUID:
    return client.get_secret(name, allow_partial_name_match=False).id


def _stated(value: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without what is empty in it, at any depth."""
    stated = {key: _stated(entry) if isinstance(entry, dict) else entry for key, entry in value.items()}
    return {key: entry for key, entry in stated.items() if entry not in ("", None, {})}


def _shown(key: str, before: Any, after: Any) -> str:
    if any(word in key.lower() for word in _CONFIDENTIAL):
        return f"{key} changed"
    return f"{key} {'unset' if before is None else before} -> {'unset' if after is None else after}"


@contextmanager
def _explained(kind: StackComponentType, component: Component, stack: str) -> Iterator[None]:
    """Turn what a flavor says against a configuration into a sentence that names the component and the file."""
    try:
        yield
    except ValidationError as error:
        problems = "; ".join(entry["msg"] for entry in error.errors())
        where = f"the {kind.value} '{component.name}' in {path_of(stack)}"
        raise StackError(f"{where} cannot be configured so: {problems}") from None
