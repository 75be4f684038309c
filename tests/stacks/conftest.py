"""Stacks under names of their own, removed after each test."""

from collections.abc import Callable, Iterator

import pytest
from zenml.client import Client

from stacks.files import StackFile, read_stack

Trial = Callable[..., StackFile]


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """Read a stack file with these variables set; it and its components get names that no other stack has."""
    client = Client()
    before = client.active_stack_model.id
    secrets = {secret.name for secret in client.list_secrets().items}

    def read(name: str = "local", **variables: str) -> StackFile:
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        file = read_stack(name)
        components = {
            kind: component
            if component.name == "default"
            else component.model_copy(update={"name": f"trial_{component.name}"})
            for kind, component in file.components.items()
        }
        return file.model_copy(update={"name": "trial", "components": components})

    yield read
    client.activate_stack(before)
    for stack in client.list_stacks(name="trial").items:
        client.delete_stack(stack.id)
    for component in client.list_stack_components(name="startswith:trial_").items:
        client.delete_stack_component(component.name, component.type)
    for secret in client.list_secrets().items:
        if secret.name not in secrets:
            client.delete_secret(secret.name)
