"""Make ZenML's stack what a stack file says. Knows ZenML and nothing of this project."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import Flavor

from stacks.files import Component, StackError, StackFile, path_of, read_stack

_CONFIDENTIAL = ("password", "secret", "token", "key")


@dataclass(frozen=True)
class Change:
    """One difference between a stack file and ZenML: a sentence, and the call that removes it."""

    text: str
    carry_out: Callable[[Client], object]


def plan(stack: StackFile) -> list[Change]:
    """Return the changes that make ZenML's stack what the file says. Components of other stacks stay as they are.

    Raises `StackError` when the file cannot be applied: a name is taken by a component of another flavor, a secret
    does not exist, or the flavor refuses a value.
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
    """Make ZenML's stack what the file says and activate it; return a sentence for each change."""
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


def application_status(name: str) -> str:
    """Return whether a stack file is applied, or the number of differences, or why it cannot be used."""
    try:
        stack = read_stack(name)
        if _stack_named(Client(), stack.name) is None:
            return "not applied"
        differences = len(plan(stack))
    except StackError as error:
        return str(error)
    return f"{differences} differences from its file" if differences else "applied"


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
                f"{path_of(stack.name)} refers to the ZenML secret '{name}', which does not exist; "
                f"create it with 'zenml secret create {name} {values}'"
            ) from None
        if missing := sorted(keys - there):
            raise StackError(
                f"{path_of(stack.name)} refers to {', '.join(missing)} in the ZenML secret '{name}', which lacks "
                f"them; add them with 'zenml secret update {name} {' '.join(f'--{key}=…' for key in missing)}'"
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
    # What the file leaves out gets the flavor's default. ZenML stores some defaults as values: no difference.
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
    """Return a configuration without its empty values, at any depth."""
    stated = {key: _stated(entry) if isinstance(entry, dict) else entry for key, entry in value.items()}
    return {key: entry for key, entry in stated.items() if entry not in ("", None, {})}


def _shown(key: str, before: Any, after: Any) -> str:
    if any(word in key.lower() for word in _CONFIDENTIAL):
        return f"{key} changed"
    return f"{key} {'unset' if before is None else before} -> {'unset' if after is None else after}"


@contextmanager
def _explained(kind: StackComponentType, component: Component, stack: str) -> Iterator[None]:
    """Turn a flavor's complaint about a configuration into a sentence that names the component and the file."""
    try:
        yield
    except ValidationError as error:
        problems = "; ".join(entry["msg"] for entry in error.errors())
        where = f"the {kind.value} '{component.name}' in {path_of(stack)}"
        raise StackError(f"{where} has an invalid configuration: {problems}") from None
