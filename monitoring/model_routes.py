"""The routes about versions of the model, for admins: list, one, two side by side, rollback."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from monitoring.authentication import Admin, admin_of
from monitoring.decisions import utc_now
from monitoring.entries import Rollback
from monitoring.journal import Journal, JournalError
from monitoring.models import COMPARE, LIST, SHOW, CommandFailedError, CommandsBusyError, Models
from monitoring.reason import Reason
from web.json_body import JsonRoute
from web.problems import unavailable

logger = logging.getLogger("monitoring")

_NUMBER = r"^[1-9][0-9]{0,8}$"
Number = Annotated[str, Path(pattern=_NUMBER)]
AskedNumber = Annotated[str, Query(pattern=_NUMBER)]


class RollbackRequest(Reason):
    """`leaving`: the version that its reader saw in production; without it, whichever is there is left."""

    leaving: Annotated[str, Field(pattern=_NUMBER)] | None = None


class RolledBack(BaseModel):
    """The version that was in production, the one that is now, and those between them that no longer exist."""

    left: str
    now: str
    skipped: list[str]


@dataclass(frozen=True)
class ModelRoutes:
    """What admins can see and do about versions."""

    models: Models
    journal: Journal

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(route_class=JsonRoute, dependencies=[Depends(admin_of)])

        @router.get("/models")
        def list_versions() -> dict[str, Any]:
            """Return all versions, and the log of promotions and rollbacks."""
            return self.models.read(LIST)

        @router.get("/models/compare")
        def compare(first: AskedNumber, second: AskedNumber) -> dict[str, Any]:
            """Return two versions side by side."""
            self._require(first, second)
            return self.models.read(COMPARE, first, second)

        @router.get("/models/{version}")
        def show(version: Number) -> dict[str, Any]:
            """Return all that is known of a version."""
            self._require(version)
            return self.models.read(SHOW, version)

        @router.post("/rollback")
        def roll_back(asked: RollbackRequest, admin: Admin) -> RolledBack:
            """Return to the version that was in production before."""
            try:
                done = self.models.roll_back(admin.username, asked.reason, asked.leaving)
            except CommandFailedError as error:
                raise HTTPException(409, str(error)) from error
            moved = RolledBack.model_validate(done)
            logger.info("%r rolled back from version %s to %s", admin.username, moved.left, moved.now)
            try:
                self.journal.append(
                    Rollback(
                        at=utc_now(), asked_by=admin.username, reason=asked.reason, before=moved.left,
                        after=moved.now, entry=done["entry"],
                    )
                )  # fmt: skip
            except JournalError as error:  # it is done, and the promotion log has it
                logger.error("The rollback to version %s is not in the journal: %s", moved.now, error)
            return moved

        return router

    def _require(self, *numbers: str) -> None:
        """Answer 404 for a version that the registry does not have."""
        known = {version["version"] for version in self.models.read(LIST)["versions"]}
        for number in numbers:
            if number not in known:
                raise HTTPException(404, f"the registry has no version {number}")


def handle_command_errors(app: FastAPI) -> None:
    """Make an application answer 503 when the registry cannot be asked."""

    @app.exception_handler(CommandFailedError)
    @app.exception_handler(CommandsBusyError)
    async def away(_: Request, error: Exception) -> Response:
        return unavailable(str(error))
