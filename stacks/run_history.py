"""The runs that ZenML keeps, with their artifacts and logs: listed, measured and deleted through ZenML's client."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.io import fileio
from zenml.utils.pagination_utils import depaginate

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse, PipelineRunResponse, StepRunResponse

TAG = "product-types"  # of our pipelines: a server may keep the runs of other projects too
_PAGE = 200


@dataclass(frozen=True)
class StoredRun:
    """A run of a pipeline that ZenML keeps. `model`: the name of its model. `under_way`: it has not ended."""

    id: UUID
    name: str
    pipeline: str
    model: str
    created: datetime
    under_way: bool


def stored_runs(pipeline: str) -> list[StoredRun]:
    """Return the runs of a pipeline, newest first."""
    runs = depaginate(Client().list_pipeline_runs, pipeline=pipeline, tags=[TAG], size=_PAGE)
    return [_stored(run, pipeline) for run in sorted(runs, key=lambda run: run.created, reverse=True)]


def sources_of_cached_steps(runs: Iterable[StoredRun]) -> set[UUID]:
    """Return the ids of the runs from which cached steps of these runs have their results.

    ZenML finds a cached result by the step that once ran, so these runs are needed as long as the result is.
    """
    client, sources = Client(), set()
    for run in runs:
        cached = depaginate(
            client.list_run_steps, pipeline_run_id=run.id, status=ExecutionStatus.CACHED, hydrate=True, size=_PAGE
        )
        for step in cached:
            if step.original_step_run_id:
                with suppress(KeyError):
                    sources.add(client.get_run_step(step.original_step_run_id).pipeline_run_id)
    return sources


def tracker_run_of(run: StoredRun) -> str | None:
    """Return the id of the tracker's run that a run has written, if there is one."""
    for step in _steps(run):
        if tracked := step.run_metadata.get("mlflow_run_id"):
            return str(tracked)
    return None


def stored_bytes(run: StoredRun) -> int:
    """Return the bytes of a run's logs and of the artifacts that it has made itself."""
    steps = _steps(run)
    own = (artifact.uri for step in steps if step.status is not ExecutionStatus.CACHED for artifact in _outputs(step))
    return sum(_size(uri) for uri in [*own, *_logs(_full(run), steps)])


def delete_run(run: StoredRun, kept_versions: Iterable[str] = ()) -> None:
    """Delete a run with its logs, and its artifacts as far as no other run uses them.

    Its version of the model in ZenML goes with the last run of it, unless it has a stage or is in `kept_versions`.
    """
    client, full, steps = Client(), _full(run), _steps(run)
    artifacts = {artifact.id: artifact for step in steps for artifact in _outputs(step)}
    logs = list(_logs(full, steps))
    client.delete_pipeline_run(run.id)
    for artifact in artifacts.values():
        if client.list_artifact_versions(id=artifact.id, only_unused=True, size=1).items:
            delete_data(artifact)
            client.delete_artifact_version(artifact.id)
    for uri in logs:
        if fileio.exists(uri):
            (fileio.rmtree if fileio.isdir(uri) else fileio.remove)(uri)
    if full.snapshot and not client.list_pipeline_runs(snapshot_id=full.snapshot.id, size=1).items:
        with suppress(KeyError, ValueError):  # a schedule or a person may still use it
            client.delete_snapshot(full.snapshot.id)
    version = full.model_version
    if version and not version.stage and str(version.number) not in set(kept_versions):
        runs = client.list_pipeline_runs(linked_to_model_version_id=version.id, size=1)
        if not runs.items:
            client.delete_model_version(version.id)


def artifacts_of(run: StoredRun, names: Iterable[str]) -> "list[ArtifactVersionResponse]":
    """Return the artifacts of these names that a run has made or used."""
    wanted = set(names)
    return [artifact for step in _steps(run) for artifact in _outputs(step) if artifact.name in wanted]


def delete_data(artifact: "ArtifactVersionResponse") -> None:
    """Delete what an artifact holds. ZenML still shows that it was there."""
    if fileio.exists(artifact.uri):
        Client().delete_artifact_version(artifact.id, delete_metadata=False, delete_from_artifact_store=True)


def _stored(run: "PipelineRunResponse", pipeline: str) -> StoredRun:
    created = run.created.replace(tzinfo=UTC) if run.created.tzinfo is None else run.created
    model = run.name.rsplit(f"-{pipeline}-", 1)[0]  # what follows is a time
    return StoredRun(run.id, run.name, pipeline, model, created, under_way=not run.status.is_finished)


def _full(run: StoredRun) -> "PipelineRunResponse":
    return Client().get_pipeline_run(run.id, allow_name_prefix_match=False)


def _steps(run: StoredRun) -> "list[StepRunResponse]":
    return depaginate(Client().list_run_steps, pipeline_run_id=run.id, hydrate=True, size=_PAGE)


def _outputs(step: "StepRunResponse") -> "list[ArtifactVersionResponse]":
    return [artifact for artifacts in step.outputs.values() for artifact in artifacts]


def _logs(run: "PipelineRunResponse", steps: "Iterable[StepRunResponse]") -> Iterator[str]:
    logs = [*(run.log_collection or []), *(log for step in steps for log in step.log_collection or [])]
    return (log.uri for log in logs if log.uri)


def _size(uri: str) -> int:
    """Return the bytes below an address of an artifact store."""
    if not fileio.exists(uri):
        return 0
    if not fileio.isdir(uri):
        return fileio.size(uri) or 0
    return sum(
        fileio.size(f"{_text(folder)}/{_text(name)}") or 0 for folder, _, names in fileio.walk(uri) for name in names
    )


def _text(path: "bytes | str") -> str:
    return path.decode() if isinstance(path, bytes) else path
