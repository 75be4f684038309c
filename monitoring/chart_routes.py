"""The routes for charts: the verdicts so far, and the timeline."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from monitoring.journal import Journal
from monitoring.models import Models
from monitoring.report_folder import ReportFolder
from monitoring.timeline import Event, read_timeline
from monitoring.verdicts import MeasuredVerdict, read_verdicts

Limit = Annotated[int, Query(ge=1, le=1_000)]


@dataclass(frozen=True)
class ChartRoutes:
    """What charts show of a journal, a report folder and the promotion log."""

    journal: Journal
    folder: ReportFolder
    models: Models

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()

        @router.get("/verdicts")
        def verdicts(limit: Limit = 200) -> list[MeasuredVerdict]:
            """Return what the last runs of the monitoring pipeline measured, newest first."""
            return read_verdicts(self.folder, limit)

        @router.get("/timeline")
        def timeline(limit: Limit = 200) -> list[Event]:
            """Return what happened last: reports, alerts, retrainings, promotions and rollbacks, newest first."""
            return read_timeline(self.journal, self.folder, self.models.moves(), limit)

        return router
