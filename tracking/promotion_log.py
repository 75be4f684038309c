"""The log of promotions and rollbacks: an entry each, which begins before anything moves and says how it ended.

An entry is a run of the tracker that has tags only, so it needs no artifact store. The experiment is named after the
model. While its run is under way an entry is pending: the process that began it is at work, or died.
"""

from datetime import UTC, datetime
from typing import Literal

import mlflow
from mlflow.entities import LifecycleStage, Run, RunStatus
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict

Event = Literal["promotion", "rollback"]
State = Literal["pending", "done", "failed"]
_STATES: dict[str, State] = {"FINISHED": "done", "RUNNING": "pending"}


class PromotionLogError(RuntimeError):
    """The log cannot be written. Nothing was moved."""


class Entry(BaseModel):
    """A move of `production` from version `before` (None: there was none) to version `after`, and the reason for it.

    `at` is when it began, `by` the user who asked for it (None: not recorded, as for every promotion).
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    event: Event
    before: str | None
    after: str
    reason: str
    state: State
    at: datetime
    by: str | None = None


def begin_entry(name: str, event: Event, before: str | None, after: str, reason: str, by: str | None = None) -> str:
    """Add a pending entry and return its id. Raises `PromotionLogError` if it cannot be written."""
    client = mlflow.MlflowClient()
    tags = {"event": event, "from_version": before or "", "to_version": after, "reason": reason}
    if by:
        tags["by"] = by
    try:
        experiment_id = _experiment(client, name) or client.create_experiment(log_name(name))
        run = client.create_run(experiment_id, tags=tags, run_name=f"{event} of version {after}")
    except MlflowException as error:
        raise PromotionLogError(
            f"the log '{log_name(name)}' cannot be written in MLflow, so nothing was moved: {error}"
        ) from error
    return str(run.info.run_id)


def end_entry(run_id: str, *, failure: str | None = None) -> None:
    """Mark an entry as done, or as failed for a reason."""
    client = mlflow.MlflowClient()
    if failure:
        client.set_tag(run_id, "failure", failure)
    client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED if failure else RunStatus.FINISHED))


def read_entries(name: str) -> list[Entry]:
    """Return all entries of a model, oldest first; none if there is no log. One that was deleted is restored."""
    client = mlflow.MlflowClient()
    experiment_id = _experiment(client, name)
    if experiment_id is None:
        return []
    entries: list[Entry] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id], order_by=["attributes.start_time ASC"], max_results=1_000, page_token=token
        )
        entries += map(_entry, page)
        token = page.token
        if not token:
            return entries


def log_name(name: str) -> str:
    """Return the name of the log of a model."""
    return f"{name}-promotions"


def _experiment(client: mlflow.MlflowClient, name: str) -> str | None:
    """Return the id of a model's log; None if there is none. A log that was deleted in the tracker is restored."""
    experiment = client.get_experiment_by_name(log_name(name))
    if experiment is None:
        return None
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)


def _entry(run: Run) -> Entry:
    tags = run.data.tags
    return Entry(
        run_id=run.info.run_id,
        event=tags["event"],
        before=tags["from_version"] or None,
        after=tags["to_version"],
        reason=tags["reason"],
        state=_STATES.get(run.info.status, "failed"),
        at=datetime.fromtimestamp(run.info.start_time / 1_000, UTC),
        by=tags.get("by"),
    )
