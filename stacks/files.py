"""Stack files: where the pipelines run, as YAML."""

import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from zenml.enums import StackComponentType

from terminal.errors import CommandError

FOLDER = Path(__file__).parent
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_REFERENCE = re.compile(r"\{\{\s*([^\s.{}]+)\.([^\s{}]+)\s*\}\}")


class StackError(CommandError):
    """A stack file cannot be used, or the active stack lacks what the pipelines need."""


class Component(BaseModel):
    """A stack component as the file states it. An empty configuration value means the default of the flavor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flavor: str
    name: str
    configuration: dict[str, Any] = {}


class StackFile(BaseModel):
    """The stack in one file: its components, and what goes into every run on it.

    `secrets`: names of ZenML secrets; their keys become environment variables of every step when it runs.
    `environment`: variables that are not secret. `settings`: resources, Docker, orchestrator. `schedules`: for a
    pipeline, the cron expression (UTC) with which it is published to the engine; empty: it runs now.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    components: dict[StackComponentType, Component] = Field(min_length=2)
    secrets: list[str] = []
    environment: dict[str, str] = {}
    schedules: dict[str, str] = {}
    settings: dict[str, Any] = {}

    def secrets_needed(self) -> dict[str, set[str]]:
        """Return the ZenML secrets that the file refers to, each with the keys that it names."""
        needed: dict[str, set[str]] = {name: set() for name in self.secrets}
        for component in self.components.values():
            for secret, key in references_in(component.configuration):
                needed.setdefault(secret, set()).add(key)
        return needed


def stack_files() -> list[str]:
    """Return the names of the stacks that have a file."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def path_of(name: str) -> Path:
    """Return the path of the file of a stack, whether it exists or not."""
    return FOLDER / f"{name}.yaml"


def read_stack(name: str) -> StackFile:
    """Read `stacks/NAME.yaml` with `${VARIABLE:-default}` filled in from the environment.

    `${SOURCE_ROOT}` and `${STATE_DIR}` always have a value. Raises `StackError` naming the file and what is wrong in
    it, also a variable without value and default.
    """
    path = path_of(name)
    try:
        return StackFile.model_validate(_fill_in(yaml.safe_load(path.read_text(encoding="utf-8")), path))
    except FileNotFoundError:
        raise StackError(
            f"there is no stack file {path.name} in {FOLDER}; existing ones: {', '.join(stack_files())}"
        ) from None
    except yaml.YAMLError as error:
        raise StackError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()]
        raise StackError(f"{path}: {'; '.join(problems)}") from None


def file_of(name: str) -> StackFile | None:
    """Return the file of a stack, or None where it has no file. Raises `StackError` when it cannot be used."""
    return read_stack(name) if name in stack_files() else None


def references_in(value: Any) -> set[tuple[str, str]]:
    """Return the ZenML secrets that a value refers to as `{{secret.key}}`: pairs of secret and key."""
    if isinstance(value, dict):
        return {reference for entry in value.values() for reference in references_in(entry)}
    if isinstance(value, list):
        return {reference for entry in value for reference in references_in(entry)}
    return set(_REFERENCE.findall(value)) if isinstance(value, str) else set()


def _fill_in(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(entry, path) for key, entry in _filled_keys(value, path).items()}
    if isinstance(value, list):
        return [_fill_in(entry, path) for entry in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda found: _variable(found, path), value)


def _filled_keys(mapping: dict[Any, Any], path: Path) -> dict[Any, Any]:
    return {
        _VARIABLE.sub(lambda found: _variable(found, path), key) if isinstance(key, str) else key: entry
        for key, entry in mapping.items()
    }


def _variable(found: re.Match[str], path: Path) -> str:
    name, default = found.groups()
    value = os.environ.get(name) or _always(name)
    if value is None:
        value = default
    if value is None:
        raise StackError(f"{path} needs the environment variable {name}, which is not set and has no default there")
    return value


def _always(name: str) -> str | None:
    root = FOLDER.parent
    return {"SOURCE_ROOT": str(root), "STATE_DIR": str(root / ".state")}.get(name)
