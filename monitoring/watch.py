"""The monitor service, put together: rounds of the monitoring pipeline, the receiver of alerts, the pages."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import FastAPI, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel
from starlette.responses import Response

from monitoring.authentication import ALERTS, METRICS, Tokens, create_gate
from monitoring.decisions import Decider, Rules, Webhook, utc_now
from monitoring.entries import AlertDecision, RetrainingEnd
from monitoring.instruments import Instruments
from monitoring.journal import Journal, JournalError
from monitoring.pages import Pages
from monitoring.report_folder import ReportFolder
from monitoring.retraining import Retraining, Trainer
from monitoring.rounds import Rounds
from web.application import create_app
from web.problems import unavailable
from web.status import Status

logger = logging.getLogger("monitoring")

ELSEWHERE = "by the schedule of the active stack's engine, in ZenML's dashboard"


class Received(BaseModel):
    """What was decided about each alert of a webhook."""

    decisions: list[AlertDecision]


@dataclass(frozen=True)
class Schedule:
    """The command that runs the monitoring pipeline, the folder to run it in, how often, and whose turn it is."""

    command: Sequence[str]
    source: Path
    every: timedelta
    turn: threading.Lock


class Watch:
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
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Without a schedule this service runs no monitoring pipeline: the engine of the stack does."""
        instruments = Instruments(journal, folder)

        def retrained(end: RetrainingEnd) -> None:
            instruments.retrainings.labels(end.outcome).inc()

        def monitored(outcome: str) -> None:
            instruments.runs.labels(outcome).inc()

        self._journal = journal
        self._retraining = Retraining(trainer, journal, retrained)
        self._rounds = schedule and Rounds(
            schedule.command, schedule.source, folder, schedule.every, schedule.turn, journal, monitored
        )  # fmt: skip
        app = create_app("Monitoring", openapi_url=None)
        _add_routes(app, Decider(journal, rules, clock), self._retraining, instruments)
        looking = f"every {schedule.every} here" if schedule else ELSEWHERE
        app.include_router(Pages(journal, folder, f"Reports: {looking}. Retraining: {trainer.way}.").router())
        self.gate = create_gate(app, tokens)

    def start(self) -> None:
        """See to what an earlier service left under way, and begin with the first round."""
        self._retraining.resume()
        if self._rounds:
            self._rounds.start()

    def stop(self) -> None:
        """End what is under way, children included, and close the journal."""
        if self._rounds:
            self._rounds.stop()
        self._retraining.stop()
        self._journal.close()


def _add_routes(app: FastAPI, decider: Decider, retraining: Retraining, instruments: Instruments) -> None:
    @app.get("/health")
    async def health() -> Status:
        """Tell that the service is up."""
        return Status()

    @app.get(METRICS, response_class=Response)
    def metrics() -> Response:
        """Tell Prometheus what happened."""
        return Response(instruments.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.post(ALERTS, status_code=202)
    def receive(webhook: Webhook) -> Received:
        """Decide about the alerts of a webhook; a retraining goes on after the answer."""
        decisions = decider.decide(webhook.alerts)
        for decision, number in Counter(entry.decision for entry in decisions).items():
            instruments.alerts.labels(decision).inc(number)
        for decided in decisions:
            if decided.decision == "started":
                retraining.start(decided)
        return Received(decisions=decisions)

    @app.exception_handler(JournalError)
    async def without_journal(_: Request, error: JournalError) -> Response:
        logger.error("%s", error)
        return unavailable("the journal cannot be read or written, so nothing was done; the log says why")
