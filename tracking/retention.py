"""What the tracker and the registry keep: which versions are needed, and deleting the runs of all others."""

from collections.abc import Iterator
from dataclasses import dataclass

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking._tracking_service.utils import _get_store

from tracking import registry
from tracking.promotion_log import read_entries
from tracking.promotions import line_of
from tracking.registry import CHALLENGER, PREVIOUS, PRODUCTION, RegisteredVersion

_PAGE = 1_000


@dataclass(frozen=True)
class Needed:
    """What the versions need that are or may be in production.

    `pipeline_runs`: the names of the runs that trained or packaged them. `tracker_runs`: the ids of their runs in the
    tracker. `mirrors`: by model the numbers of their versions in ZenML.
    """

    pipeline_runs: frozenset[str]
    tracker_runs: frozenset[str]
    mirrors: dict[str, frozenset[str]]


def find_needed(rollbacks: int) -> Needed:
    """Return what is needed by the versions in production, those before them, and the newest ones of all models.

    `rollbacks`: how many versions back a rollback can go (0: all). `previous` is always one of them.
    """
    versions = {name: _needed_versions(name, rollbacks) for name in registry.model_names()}
    all_versions = [version for found in versions.values() for version in found]
    runs = {run for version in all_versions for run in (version.run_id, version.evaluation_run)}
    packaged = {version.tags["bento_run"] for version in all_versions if version.tags.get("bento_run")}
    return Needed(
        pipeline_runs=frozenset(packaged | {name for run in runs if (name := _run_name(run))}),
        tracker_runs=frozenset(runs),
        mirrors={
            name: frozenset(version.tags["mirror"] for version in found if version.tags.get("mirror"))
            for name, found in versions.items()
        },
    )


def stored_bytes(run_id: str) -> int:
    """Return the bytes of a run's files, its models among them."""
    return sum(_bytes_below(uri) for uri in _artifact_addresses(run_id))


def delete_run(run_id: str) -> None:
    """Delete a run with its versions in the registry, its models and all files of it.

    Where MLflow's database is at hand, nothing of it is left there; a server marks it as deleted and removes it with
    `mlflow gc`.
    """
    client, store = mlflow.MlflowClient(), _get_store()
    try:
        run = client.get_run(run_id)
    except MlflowException:
        return
    for name, version in registry.registered_from(run_id):
        client.delete_model_version(name, version.number)
    for address in _artifact_addresses(run_id):
        get_artifact_repository(address).delete_artifacts()
    for model in _models(run_id, run.info.experiment_id):
        client.delete_logged_model(model.model_id)
        if hasattr(store, "_hard_delete_logged_model"):
            store._hard_delete_logged_model(model.model_id)
    client.delete_run(run_id)
    if hasattr(store, "_hard_delete_run"):
        store._hard_delete_run(run_id)


def _needed_versions(name: str, rollbacks: int) -> list[RegisteredVersion]:
    aliased = {
        alias: version for alias in (PRODUCTION, PREVIOUS, CHALLENGER) if (version := registry.by_alias(name, alias))
    }
    found = {version.number: version for version in aliased.values()}
    now, previous = (aliased[alias].number if alias in aliased else None for alias in (PRODUCTION, PREVIOUS))
    existing = registry.existing_numbers(name)
    before = [number for number in line_of(read_entries(name), now, previous)[:-1] if number in existing]
    for number in before[-rollbacks:]:
        found.setdefault(number, registry.by_number(name, number))
    return list(found.values())


def _run_name(run_id: str) -> str | None:
    try:
        name: str | None = mlflow.get_run(run_id).info.run_name
    except MlflowException:
        return None
    return name


def _models(run_id: str, experiment: str) -> "list[mlflow.entities.LoggedModel]":
    return list(mlflow.MlflowClient().search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}'"))


def _artifact_addresses(run_id: str) -> Iterator[str]:
    try:
        run = mlflow.get_run(run_id)
    except MlflowException:
        return
    yield run.info.artifact_uri
    for model in _models(run_id, run.info.experiment_id):
        yield model.artifact_location


def _bytes_below(address: str) -> int:
    repository = get_artifact_repository(address)
    waiting: list[str | None] = [None]
    total = 0
    while waiting:
        for entry in repository.list_artifacts(waiting.pop()):
            if entry.is_dir:
                waiting.append(entry.path)
            else:
                total += entry.file_size or 0
    return total
