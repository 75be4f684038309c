"""The model registry: versions, aliases, and the log of promotions.

Everything goes through the MLflow tracking address in force, so the same code works on every stack. Aliases:
`production` is served, `previous` is what a rollback would return to, `challenger` is the newest version.
"""

import contextlib
import io
from collections.abc import Mapping

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict

from catalog.source import SourceKind

PRODUCTION, PREVIOUS, CHALLENGER = "production", "previous", "challenger"
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}


class NothingInProductionError(RuntimeError):
    """A model has no version in production."""


class RollbackError(RuntimeError):
    """There is no version to return to."""


class RegisteredVersion(BaseModel):
    """A version in the registry: its number, the run that trained it, where its files are, and its tags."""

    model_config = ConfigDict(frozen=True)

    number: str
    run_id: str
    source: str
    tags: dict[str, str]


def by_alias(name: str, alias: str) -> RegisteredVersion | None:
    """Return the version that an alias points to, or None if there is no such model or alias."""
    try:
        return _version(mlflow.MlflowClient().get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code in _ABSENT:
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


def by_tag(name: str, key: str, value: str) -> RegisteredVersion | None:
    """Return the newest version of a model with this tag, or None."""
    versions = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
    found = [version for version in versions if version.tags.get(key) == value]
    return _version(max(found, key=lambda version: int(version.version))) if found else None


def register(name: str, run_id: str, model_uri: str, taxonomy: str, source: SourceKind) -> RegisteredVersion:
    """Register a trained model as a version, with the alias `challenger`.

    `taxonomy` is the taxonomy's digest, `source` the kind of listings that the model was trained on.

    A model that is registered already, with the same taxonomy, keeps its number. So a run that died after this point
    can be repeated.
    """
    client = mlflow.MlflowClient()
    tags = {"run_id": run_id, "taxonomy": taxonomy, "source": source, "identity": f"{run_id} {taxonomy}"}
    version = by_tag(name, "identity", tags["identity"])
    with contextlib.redirect_stderr(io.StringIO()):  # MLflow writes messages there, whatever the log level
        number = (
            version.number if version else mlflow.register_model(model_uri, name, await_registration_for=60).version
        )
    tag(name, number, tags)
    client.set_registered_model_alias(name, CHALLENGER, number)
    return _version(client.get_model_version(name, number))


def tag(name: str, number: str, tags: Mapping[str, str]) -> None:
    """Set tags on a version."""
    for key, value in tags.items():
        mlflow.MlflowClient().set_model_version_tag(name, number, key, value)


def promote(name: str, number: str, reason: str) -> None:
    """Move `production` to a version and `previous` to the one that it replaces, and add an entry to the log."""
    before = by_alias(name, PRODUCTION)
    if before is None or before.number != number:
        client = mlflow.MlflowClient()
        if before:
            client.set_registered_model_alias(name, PREVIOUS, before.number)
        client.set_registered_model_alias(name, PRODUCTION, number)
        _log(name, "promotion", before.number if before else None, number, reason)


def roll_back(name: str, reason: str) -> tuple[RegisteredVersion, RegisteredVersion]:
    """Move `production` back to the version before, and add an entry to the log. Repeated, it goes one further back.

    Returns the version that was in production and the one that is now. Raises `RollbackError` if there is none to
    return to.
    """
    now = by_alias(name, PRODUCTION)
    if now is None:
        raise RollbackError(f"model '{name}' has no version in production: there is nothing to roll back")
    earlier = _versions_before(name, now.number)
    if not earlier:
        raise RollbackError(f"version {now.number} is the first of model '{name}' in production: nothing is before it")
    client = mlflow.MlflowClient()
    target = _version(client.get_model_version(name, earlier[-1]))
    if len(earlier) > 1:
        client.set_registered_model_alias(name, PREVIOUS, earlier[-2])
    else:
        client.delete_registered_model_alias(name, PREVIOUS)
    client.set_registered_model_alias(name, PRODUCTION, target.number)
    _log(name, "rollback", now.number, target.number, reason)
    return now, target


def promotion_log(name: str) -> list[Run]:
    """Return the promotions and rollbacks of a model, oldest first."""
    experiment = mlflow.get_experiment_by_name(_log_name(name))
    if experiment is None:
        return []
    client = mlflow.MlflowClient()
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id], order_by=["attributes.start_time ASC"], max_results=1_000, page_token=token
        )
        runs += page
        token = page.token
        if not token:
            return runs


def _versions_before(name: str, current: str) -> list[str]:
    """Return the versions in production before the current one, oldest first, without those that were rolled back."""
    line: list[str] = []
    for run in promotion_log(name):
        if run.data.tags["event"] == "promotion":
            line.append(run.data.tags["to_version"])
        else:
            del line[line.index(run.data.tags["to_version"]) + 1 :]
    return line[: line.index(current)] if current in line else line


def _log(name: str, event: str, before: str | None, after: str, reason: str) -> None:
    """Add one entry: a run that has tags only, so it needs no artifact store."""
    experiment = mlflow.get_experiment_by_name(_log_name(name))
    experiment_id = experiment.experiment_id if experiment else mlflow.create_experiment(_log_name(name))
    client = mlflow.MlflowClient()
    tags = {"event": event, "from_version": before or "", "to_version": after, "reason": reason}
    run = client.create_run(experiment_id, tags=tags, run_name=f"{event} of version {after}")
    client.set_terminated(run.info.run_id)


def _log_name(name: str) -> str:
    return f"{name}-promotions"


def _version(version: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(
        number=str(version.version), run_id=version.run_id or "", source=version.source, tags=dict(version.tags)
    )
