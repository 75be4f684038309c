"""Start a pipeline that was published to Airflow, through Airflow's API, and follow the run to its end."""

import os
from datetime import datetime
from typing import TYPE_CHECKING

from zenml.client import Client

from stacks.airflow_client import AirflowClient, AirflowError, AirflowSettings
from stacks.failures import RunError
from terminal.console import announce
from terminal.progress import follow

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse


def can_be_started() -> bool:
    """Return whether the environment names Airflow's API."""
    return bool(os.environ.get("AIRFLOW_API_URL"))


def start(dag_id: str, since: datetime) -> "PipelineRunResponse":
    """Start the DAG as it was published at `since`, show its steps, and return ZenML's record of the run.

    Raises `RunError` when Airflow refuses, does not see the DAG, or ends the run before its first step.
    """
    run_id = f"run.py-{since:%Y%m%dT%H%M%S}"
    try:
        with AirflowClient(AirflowSettings.from_environment({**os.environ, "AIRFLOW_DAG_ID": dag_id})) as airflow:
            with announce("waiting for Airflow to read the DAG"):
                airflow.wait_until_read(since)
            airflow.trigger(run_id, "run.py")
            with follow(orchestrator_run_id=run_id):
                state = airflow.wait(run_id, every=2)
    except AirflowError as error:
        raise RunError(str(error)) from error
    run = find(run_id)
    if run is None:
        raise RunError(f"Airflow ended the run {run_id} of '{dag_id}' as '{state}' before its first step began")
    return run


def find(run_id: str) -> "PipelineRunResponse | None":
    """Return ZenML's record of a run of Airflow, if there is one."""
    runs = Client().list_pipeline_runs(orchestrator_run_id=run_id, hydrate=True).items
    return runs[0] if runs else None
