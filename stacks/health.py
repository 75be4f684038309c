"""Whether every component of the active stack answers: asked before a run, so that no run starts that cannot end."""

from collections.abc import Iterator
from dataclasses import dataclass

from zenml.client import Client
from zenml.models import ComponentResponse

from stacks.active import open_zenml
from stacks.files import StackError, path_of, references_in, stack_files
from stacks.probes import UnreachableError, probe


@dataclass(frozen=True)
class ComponentStatus:
    """What was seen of one component. `problem`: a whole sentence, empty when the component is fine."""

    kind: str
    name: str
    seen: str
    problem: str = ""


def examine() -> Iterator[ComponentStatus]:
    """Yield the status of every component of the active stack. Raises `StackError` when ZenML's server is away."""
    open_zenml()
    client = Client()
    stack = client.active_stack_model
    where = f"{path_of(stack.name)}" if stack.name in stack_files() else "no file of this project"
    for kind, components in stack.components.items():
        for component in components:
            subject = kind.value.replace("_", " ")
            try:
                _require_secrets(client, component)
                seen = probe(kind, component)
            except UnreachableError as error:
                problem = f"the {subject} '{component.name}' of the stack '{stack.name}' ({where}) {error}"
                yield ComponentStatus(subject, component.name, "not usable", problem)
            else:
                yield ComponentStatus(subject, component.name, seen)


def require_healthy() -> None:
    """Raise `StackError` with one sentence for each component of the active stack that has a problem."""
    if problems := [status.problem for status in examine() if status.problem]:
        raise StackError("; ".join(problems))


def _require_secrets(client: Client, component: ComponentResponse) -> None:
    for name, key in references_in(component.configuration):
        try:
            if key not in client.get_secret(name, allow_partial_name_match=False).secret_values:
                raise UnreachableError(f"refers to the key '{key}' of the ZenML secret '{name}', which does not exist")
        except KeyError:
            raise UnreachableError(f"refers to the ZenML secret '{name}', which does not exist") from None
