"""The monitor service, put together: rounds of the monitoring pipeline, the receiver of alerts, the pages."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response

from bento.problems import handle_problems, unavailable
from monitoring.decisions import Decider, Rules, Webhook, utc_now
from monitoring.entries import AlertDecision, RetrainingEnd
from monitoring.gate import ALERTS, METRICS, Gate, Tokens
from monitoring.instruments import CONTENT_TYPE, Instruments
from monitoring.journal import Journal, JournalError
from monitoring.pages import Pages
from monitoring.retraining import Retraining, Trainer
from monitoring.rounds import Rounds

logger = logging.getLogger("monitoring")

FOLDER, JOURNAL = "monitoring", "journal.db"  # the folder in the state folder, the file in it
ELSEWHERE = "by the schedule of the active stack's engine, in ZenML's dashboard"


class Health(BaseModel):
    """The service is up."""

    status: str = "ok"


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
        folder: Path,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`folder` is where the reports are. Without a schedule nothing is run here: the stack's engine does."""
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
        app = FastAPI(title="Monitoring", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
        handle_problems(app)
        _add_routes(app, Decider(journal, rules, clock), self._retraining, instruments)
        looking = f"every {schedule.every} here" if schedule else ELSEWHERE
        app.include_router(Pages(journal, folder, f"Reports: {looking}. Retraining: {trainer.way}.").router())
        self.gate = Gate(app, tokens)

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
    async def health() -> Health:
        """Tell that the service is up."""
        return Health()

    @app.get(METRICS, response_class=Response)
    def metrics() -> Response:
        """Tell Prometheus what happened."""
        return Response(instruments.page(), media_type=CONTENT_TYPE)

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
