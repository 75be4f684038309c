"""The model registry: versions and aliases.

Everything goes through the MLflow tracking address in force, so the same code works on every stack. Aliases:
`production` is served, `previous` is what a rollback would return to, `challenger` is the newest version.
"""

import contextlib
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict

from catalog.source import SourceKind

PRODUCTION, PREVIOUS, CHALLENGER = "production", "previous", "challenger"
FILES_KEY = "model_files"  # under which ZenML has the digest of a version's files, beside its version of the model
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}


class NothingInProductionError(RuntimeError):
    """A model has no version in production."""


class RegisteredVersion(BaseModel):
    """A version in the registry: its number, the run that trained it, where its files are, and its tags.

    `files` is the digest of its model and code. The registry does not have it: who can write to the tracker must not be
    able to change it. The first step of a training reads it from ZenML.
    """

    model_config = ConfigDict(frozen=True)

    number: str
    run_id: str
    source: str
    tags: dict[str, str]
    created_at: datetime | None = None
    files: str | None = None

    @property
    def evaluation_run(self) -> str:
        """The run with its evaluation and reference window; a version of an earlier release has one run for all."""
        return self.tags.get("evaluation_run", self.run_id)


def by_alias(name: str, alias: str) -> RegisteredVersion | None:
    """Return the version that an alias points to, or None if there is no such model or alias."""
    try:
        return _version(mlflow.MlflowClient().get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise


def in_production(name: str) -> RegisteredVersion:
    """Return the version in production. Raises `NothingInProductionError` if there is none."""
    if version := by_alias(name, PRODUCTION):
        return version
    raise NothingInProductionError(f"model '{name}' has no version in production yet; train one with 'python run.py'")


def model_names() -> list[str]:
    """Return the names of the registered models."""
    return sorted(model.name for model in mlflow.MlflowClient().search_registered_models(max_results=1_000))


def by_tag(name: str, key: str, value: str | None = None) -> RegisteredVersion | None:
    """Return the newest version of a model with this tag, whatever its value if none is given; or None."""
    versions = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
    found = [version for version in versions if key in version.tags and value in (None, version.tags[key])]
    return _version(max(found, key=lambda version: int(version.version))) if found else None


def registered_from(run_id: str) -> list[tuple[str, RegisteredVersion]]:
    """Return the versions that were trained or evaluated by a run of the tracker, each with the name of its model."""
    client = mlflow.MlflowClient()
    found = {
        (version.name, version.version): version
        for condition in (f"run_id = '{run_id}'", f"tags.evaluation_run = '{run_id}'")
        for version in client.search_model_versions(condition)
    }
    return [(version.name, _version(version)) for version in found.values()]


class Challenger(BaseModel):
    """A trained and evaluated model that is to be registered: its runs, its files, and what its tags say of it.

    `taxonomy` is the taxonomy's digest, `source` the kind of listings that it was trained on.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    run_id: str
    evaluation_run: str
    model_uri: str
    taxonomy: str
    source: SourceKind

    @property
    def identity(self) -> str:
        """What two versions never share: the same training, evaluated with other settings, is another version."""
        return f"{self.run_id} {self.evaluation_run} {self.taxonomy}"


def register(name: str, challenger: Challenger) -> RegisteredVersion:
    """Register a model as a version, with the alias `challenger`.

    One that is registered already keeps its number. So a run that died after this point can be repeated.
    """
    client = mlflow.MlflowClient()
    tags = {**challenger.model_dump(exclude={"model_uri"}), "identity": challenger.identity}
    version = by_tag(name, "identity", challenger.identity)
    with contextlib.redirect_stderr(io.StringIO()):  # MLflow writes messages there, whatever the log level
        number = (
            version.number
            if version
            else mlflow.register_model(challenger.model_uri, name, await_registration_for=60).version
        )
    tag(name, number, tags)
    client.set_registered_model_alias(name, CHALLENGER, number)
    return _version(client.get_model_version(name, number))


def tag(name: str, number: str, tags: Mapping[str, str]) -> None:
    """Set tags on a version."""
    for key, value in tags.items():
        mlflow.MlflowClient().set_model_version_tag(name, number, key, value)


def by_number(name: str, number: str) -> RegisteredVersion:
    """Return a version, which must exist."""
    return _version(mlflow.MlflowClient().get_model_version(name, number))


def find_number(name: str, number: str) -> RegisteredVersion | None:
    """Return a version, or None if there is no such model or version. `number` may be any text."""
    if not _NUMBER.fullmatch(number):  # MLflow fails on one that its database cannot hold
        return None
    try:
        return by_number(name, number)
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise


def all_versions(name: str) -> list[RegisteredVersion]:
    """Return the versions of a model that have not been deleted, newest first; none if there is no such model."""
    found = mlflow.MlflowClient().search_model_versions(f"name = '{name}'", max_results=10_000)
    return [_version(version) for version in sorted(found, key=lambda version: int(version.version), reverse=True)]


def all_aliases(name: str) -> dict[str, str]:
    """Return the aliases of a model with the number of the version that each points to."""
    try:
        aliases = mlflow.MlflowClient().get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code in ABSENT:
            return {}
        raise
    return {alias: str(number) for alias, number in aliases.items()}


def existing_numbers(name: str) -> set[str]:
    """Return the numbers of the versions of a model that have not been deleted."""
    return {str(version.version) for version in mlflow.MlflowClient().search_model_versions(f"name = '{name}'")}


def _version(version: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(
        number=str(version.version),
        run_id=version.run_id or "",
        source=version.source,
        tags=dict(version.tags),
        created_at=datetime.fromtimestamp(version.creation_timestamp / 1_000, UTC),
    )
