"""Retraining by a DAG of Airflow, which continues when the monitor service ends."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

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
from monitoring.entries import AlertDecision, RetrainingStart
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
    version_in_production: Callable[[], str | None]  # as the registry has it now
    patience: float = 300  # seconds for which Airflow may be away when a run is to be triggered

    @property
    def description(self) -> str:
        """Which DAG of which Airflow."""
        return f"DAG '{self.airflow.settings.dag_id}' of Airflow at {self.airflow.settings.url}"

    def train(self, job: AlertDecision, stop: threading.Event) -> RetrainingResult | None:
        """Trigger the run of this alert, which does nothing when the run exists, and wait for its end."""
        before = self.version_in_production()
        self.journal.append(RetrainingStart(at=utc_now(), retraining=str(job.retraining), version_before=before))
        return self._follow(job, stop, before)

    def resume(self, job: AlertDecision, stop: threading.Event) -> RetrainingResult | None:
        """Wait again for the run, which did not end with the earlier service."""
        start = self.journal.start_of(str(job.retraining))
        return self._follow(job, stop, start.version_before) if start else self.train(job, stop)

    def _follow(self, job: AlertDecision, stop: threading.Event, before: str | None) -> RetrainingResult | None:
        run_id = dag_run_id(job)
        try:
            note = f"alert {job.alert}, fingerprint {job.fingerprint}"
            self._attempts(run_id, stop)(self.airflow.trigger, run_id, note)
            state = self.airflow.wait(run_id, stop=stop)
        except AirflowStoppedError:
            return None
        except AirflowError as error:
            if stop.is_set() and isinstance(error, AirflowAwayError):
                return None
            return RetrainingResult("failed", str(error))
        if state == "failed":
            return RetrainingResult("failed", f"Airflow's run {run_id} failed; its log is there")
        now = self.version_in_production()
        if now != before:
            return RetrainingResult("promoted", f"version {now} is in production now, after version {before}", now)
        return RetrainingResult("refused", f"the run succeeded and version {now} stays in production", now)

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


def dag_run_id(job: AlertDecision) -> str:
    """Return the id of the run that belongs to an alert. The same alert always has the same run."""
    return f"alert-{job.fingerprint}-{job.starts_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}Z"
