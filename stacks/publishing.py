"""Publish a pipeline to an engine that runs it by a schedule."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zenml.client import Client
from zenml.config.schedule import Schedule

from stacks import airflow_runs
from stacks.failures import explain

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse


@dataclass(frozen=True)
class Published:
    """A pipeline that the engine of the stack starts by the schedule, a cron expression in UTC."""

    pipeline: str
    stack: str
    schedule: str


def publish(
    pipeline: Any, arguments: Mapping[str, Any], *, stack: str, schedule: str, settings: Mapping[str, Any]
) -> "PipelineRunResponse | Published":
    """Give the engine a pipeline and its schedule; where its API is known, also start a run and return that.

    A schedule in ZenML carries a token of ZenML's server, and a run needs its token until it ends. So the schedules
    of earlier publications are deleted only when no run can need them: the engine runs one at a time, so once our own
    run has ended no earlier run is left. Without a run of our own the newest earlier schedule stays.

    Raises `RunError`.
    """
    client, now = Client(), datetime.now(UTC)
    model = pipeline.configuration.model.name
    name = f"{stack}-{model}-{pipeline.name}"
    earlier = [schedule.id for schedule in client.list_schedules("asc:created", name=f"startswith:{name}-").items]
    configured = pipeline.with_options(
        run_name=f"{model}-{pipeline.name}-{{date}}-{{time}}",
        schedule=Schedule(name=f"{name}-{now:%Y%m%d-%H%M%S}", cron_expression=schedule),
    )
    with _readable_by_this_user_only():
        try:
            configured(**arguments)
        except Exception as error:
            raise explain(None, error) from error
    dag_id = settings.get("orchestrator.airflow", {}).get("dag_id")
    run = airflow_runs.start(dag_id, now) if dag_id and airflow_runs.can_be_started() else None
    for ended in earlier if run else earlier[:-1]:  # oldest first
        client.delete_schedule(ended)
    return run or Published(pipeline.name, stack, schedule)


@contextmanager
def _readable_by_this_user_only() -> Iterator[None]:
    """Restrict the files that the body writes: what an engine gets contains the token of ZenML's server."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
