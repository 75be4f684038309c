"""Retraining by a DAG of Airflow, which continues when the monitor service ends."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_fixed,
)

from monitoring.decisions import utc_now
from monitoring.entries import AlertDecision, Job, RetrainingOutcome, RetrainingStart
from monitoring.journal import Journal
from monitoring.retraining import RetrainingResult
from stacks.airflow_client import AirflowAwayError, AirflowClient, AirflowError, AirflowStoppedError

logger = logging.getLogger("monitoring")

_RETRY_INTERVAL = 5  # seconds until reaching Airflow is tried again


@dataclass(frozen=True)
class AirflowTrainer:
    """Triggers a DAG and waits for its run."""

    airflow: AirflowClient
    journal: Journal
    read_outcome: Callable[[str], Mapping[str, Any] | None]  # what a run that succeeded decided, as ZenML has it
    patience: float = 300  # seconds for which Airflow may be away when a run is to be triggered

    @property
    def description(self) -> str:
        """Which DAG of which Airflow."""
        return f"DAG '{self.airflow.settings.dag_id}' of Airflow at {self.airflow.settings.url}"

    def train(self, job: Job, stop: threading.Event) -> RetrainingResult | None:
        """Trigger the run of this retraining, which does nothing when the run exists, and wait for its end."""
        self.journal.append(RetrainingStart(at=utc_now(), retraining=str(job.retraining)))
        return self._follow(job, stop)

    def resume(self, job: Job, stop: threading.Event) -> RetrainingResult | None:
        """Wait again for the run, which did not end with the earlier service."""
        return self._follow(job, stop)

    def _follow(self, job: Job, stop: threading.Event) -> RetrainingResult | None:
        run_id = dag_run_id(job)
        try:
            self._attempts(run_id, stop)(self.airflow.trigger, run_id, job.cause)
            state = self.airflow.wait(run_id, stop=stop)
        except AirflowStoppedError:
            return None
        except AirflowError as error:
            if stop.is_set() and isinstance(error, AirflowAwayError):
                return None
            return RetrainingResult("failed", str(error))
        if state == "failed":
            return RetrainingResult("failed", f"Airflow's run {run_id} failed; its log is there")
        outcome = self.read_outcome(run_id)
        if outcome is None:
            return RetrainingResult("failed", f"Airflow's run {run_id} succeeded, but ZenML has no outcome of it")
        decided: RetrainingOutcome = "promoted" if outcome["promoted"] else "refused"
        return RetrainingResult(decided, outcome["reason"], outcome["model_version"])

    def _attempts(self, run_id: str, stop: threading.Event) -> Retrying:
        """Return how a request is repeated while Airflow is away."""

        def log(attempt: RetryCallState) -> None:
            error = attempt.outcome.exception() if attempt.outcome else None
            logger.warning("Retraining %s waits for Airflow: %s", run_id, error)

        return Retrying(
            retry=retry_if_exception_type(AirflowAwayError),
            wait=wait_fixed(_RETRY_INTERVAL),
            sleep=sleep_using_event(stop),
            stop=stop_after_delay(self.patience) | stop_when_event_set(stop),
            before_sleep=log,
            reraise=True,
        )


def dag_run_id(job: Job) -> str:
    """Return the id of the run that belongs to a retraining. The same retraining always has the same run."""
    return f"{'alert' if isinstance(job, AlertDecision) else 'request'}-{job.retraining}"
