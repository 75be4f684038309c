"""A pipeline that was published to Airflow, started at once by its REST API and followed to its end."""

import os
from datetime import datetime
from typing import TYPE_CHECKING

from terminal.errors import CommandError

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse


def can_be_asked() -> bool:
    """Tell whether the environment says where Airflow's API is."""
    return bool(os.environ.get("AIRFLOW_API_URL"))


def start(dag_id: str, since: datetime) -> "PipelineRunResponse":
    """Start the DAG as it was delivered at `since`, show its steps, and return ZenML's record of the run.

    Raises `CommandError` when Airflow refuses, does not see the DAG, or the run fails.
    """
    from zenml.client import Client

    from monitoring.airflow_api import Airflow, AirflowError, AirflowSettings
    from terminal.console import announce
    from terminal.progress import follow

    run_id = f"run.py-{since:%Y%m%dT%H%M%S}"
    try:
        with Airflow(AirflowSettings.from_environment({**os.environ, "AIRFLOW_DAG_ID": dag_id})) as airflow:
            with announce("waiting for Airflow to read the DAG"):
                airflow.wait_until_read(since)
            airflow.trigger(run_id, "run.py")
            with follow(orchestrator_run_id=run_id):
                state = airflow.wait(run_id, every=2)
    except AirflowError as error:
        raise CommandError(str(error)) from error
    runs = Client().list_pipeline_runs(orchestrator_run_id=run_id, hydrate=True).items
    if not runs:
        raise CommandError(f"Airflow ended the run {run_id} of '{dag_id}' as '{state}' before its first step began")
    return runs[0]
