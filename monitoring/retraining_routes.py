"""The routes about retraining: what is under way and what is left of the limits, and asking for one."""

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, BaseModel

from monitoring.authentication import Admin
from monitoring.decisions import Decider, NotNowError
from monitoring.journal import Journal
from monitoring.overview import RetrainingRow, read_retrainings
from monitoring.reason import Reason
from monitoring.report_folder import ReportFolder
from monitoring.retraining import RetrainingRunner
from web.json_body import JsonRoute


class RetrainingState(BaseModel):
    """The retraining under way, the last one that ended, and what is left of the limits."""

    running: RetrainingRow | None
    last: RetrainingRow | None
    left_today: int
    daily_budget: int
    cool_down_until: AwareDatetime | None


class Started(BaseModel):
    """A retraining that was started."""

    retraining: str
    at: AwareDatetime
    asked_by: str
    reason: str


@dataclass(frozen=True)
class RetrainingRoutes:
    """What can be seen and done about retraining."""

    journal: Journal
    folder: ReportFolder
    decider: Decider
    runner: RetrainingRunner

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(route_class=JsonRoute)

        @router.get("/retraining")
        def state() -> RetrainingState:
            """Return what is under way, what ended last, and what is left of the limits."""
            rows = read_retrainings(self.journal, self.folder)
            budget = self.decider.budget()
            return RetrainingState(
                running=next((row for row in rows if row.finished is None), None),
                last=next((row for row in rows if row.finished is not None), None),
                left_today=budget.left_today,
                daily_budget=budget.daily_budget,
                cool_down_until=budget.cool_down_until,
            )

        @router.post("/retrain", status_code=202)
        def retrain(reason: Reason, admin: Admin) -> Started:
            """Start a retraining within the limits that alerts have too. It continues after the answer."""
            try:
                asked_for = self.decider.request(admin.username, reason.reason)
            except NotNowError as error:
                raise _refused(error) from error
            self.runner.start(asked_for)
            return Started.model_validate(asked_for.model_dump(exclude={"kind"}))

        return router


def _refused(error: NotNowError) -> HTTPException:
    if error.retry_after is None:
        return HTTPException(409, str(error))
    return HTTPException(429, str(error), {"Retry-After": str(error.retry_after)})
