"""The monitor service: the loop of the monitoring pipeline, the receiver of alerts, the pages, the routes of users."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from fastapi import Depends, FastAPI, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel
from starlette.responses import Response

from monitoring.authentication import ALERTS, METRICS, Tokens, create_gate
from monitoring.chart_routes import ChartRoutes
from monitoring.decisions import MOST_VALUES, Decider, Rules, Webhook, utc_now
from monitoring.entries import AlertDecision, RetrainingEnd
from monitoring.journal import Journal, JournalError
from monitoring.loop import MonitoringLoop, Schedule
from monitoring.metrics import MonitorMetrics
from monitoring.model_routes import ModelRoutes, handle_command_errors
from monitoring.models import Models
from monitoring.pages import Pages
from monitoring.report_folder import ReportFolder
from monitoring.retraining import RetrainingRunner, Trainer
from monitoring.retraining_routes import RetrainingRoutes
from monitoring.users import Users
from web.application import create_app
from web.authentication import only_programs
from web.json_body import JsonRoute
from web.problems import unavailable
from web.status import Status

logger = logging.getLogger("monitoring")

BY_ENGINE = "by the schedule of the active stack's engine, in ZenML's dashboard"


class _WebhookRoute(JsonRoute):
    most_values = MOST_VALUES


class Received(BaseModel):
    """What was decided about each alert of a webhook."""

    decisions: list[AlertDecision]


class MonitorService:
    """The service. `gate` is its ASGI application."""

    def __init__(
        self,
        journal: Journal,
        trainer: Trainer,
        schedule: Schedule | None,
        tokens: Tokens,
        rules: Rules,
        *,
        folder: ReportFolder,
        users: Users,
        models: Models,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Without a schedule this service does not run the monitoring pipeline: the engine of the stack does."""
        metrics = MonitorMetrics(journal, folder)

        def count_retraining(end: RetrainingEnd) -> None:
            metrics.retrainings.labels(end.outcome).inc()
            models.forget()  # it may have registered and promoted a version

        def count_run(outcome: str) -> None:
            metrics.runs.labels(outcome).inc()

        self._journal = journal
        self._models = models
        self._retraining = RetrainingRunner(trainer, journal, count_retraining)
        self._loop = MonitoringLoop(schedule, folder, journal, count_run) if schedule else None
        app = create_app("Monitoring", openapi_url=None)
        app.router.route_class = _WebhookRoute
        handle_command_errors(app)
        decider = Decider(journal, rules, clock)
        _add_routes(app, journal, decider, self._retraining, metrics)
        reports = f"every {schedule.every} here" if schedule else BY_ENGINE
        description = f"Reports: {reports}. Retraining: {trainer.description}."
        for routes in (
            Pages(journal, folder, models.moves, description),
            ChartRoutes(journal, folder, models),
            RetrainingRoutes(journal, folder, decider, self._retraining),
            ModelRoutes(models, journal),
        ):
            app.include_router(routes.router())
        self.gate = create_gate(app, tokens, users)

    def start(self) -> None:
        """Continue or end what an earlier service left under way, and start the monitoring loop."""
        self._retraining.resume()
        if self._loop:
            self._loop.start()

    def stop(self) -> None:
        """End what is under way, with its child processes, and close the journal."""
        if self._loop:
            self._loop.stop()
        self._retraining.stop()
        self._models.stop()
        self._journal.close()


def _add_routes(
    app: FastAPI, journal: Journal, decider: Decider, retraining: RetrainingRunner, metrics: MonitorMetrics
) -> None:
    logged: dict[str, str] = {}

    @app.get("/health")
    @app.get("/livez")
    async def health() -> Status:
        """Tell that the service is up."""
        return Status()

    @app.get("/readyz", response_model=Status)
    def ready() -> Status | Response:
        """Tell that alerts can be decided: the journal can be written."""
        try:
            journal.check()
        except JournalError as error:
            if logged.get("cause") != str(error):  # anybody may ask, so each cause is logged once
                logged["cause"] = str(error)
                logger.error("Not ready: %s", error)
            return unavailable("the journal cannot be written")
        logged.clear()
        return Status()

    @app.get(METRICS, response_class=Response, dependencies=[Depends(only_programs)])
    def show_metrics() -> Response:
        """Return the metrics for Prometheus."""
        return Response(metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.post(ALERTS, status_code=202, dependencies=[Depends(only_programs)])
    def receive(webhook: Webhook) -> Received:
        """Decide about the alerts of a webhook. A retraining continues after the answer."""
        decisions = decider.decide(webhook.alerts)
        for verdict, number in Counter(entry.decision for entry in decisions).items():
            metrics.alerts.labels(verdict).inc(number)
        for decision in decisions:
            if decision.decision == "started":
                retraining.start(decision)
        return Received(decisions=decisions)

    @app.exception_handler(JournalError)
    async def answer_without_journal(_: Request, error: JournalError) -> Response:
        logger.error("%s", error)
        return unavailable("the journal cannot be read or written, so nothing was done; the log has the reason")
