"""The routes for reading: the page, reports and logs on the disk, history and decisions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel
from starlette.responses import FileResponse, Response

from monitoring.decisions import utc_now
from monitoring.entries import AlertDecision
from monitoring.journal import Journal
from monitoring.overview import SHOWN, RetrainingRow, read_overview, read_retrainings
from monitoring.report_folder import ReportFolder, is_evidently
from monitoring.timeline import Move
from reports.rendering import script_source
from reports.service_page import service_page

_MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".log": "text/plain; charset=utf-8"}
# Pages load nothing: their charts and styles are in the file. No script runs but the one of our pages, by its digest.
_PAGE_POLICY = (
    f"default-src 'none'; script-src {script_source()}; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# A report is a file that the pipeline wrote. The sandbox keeps it from this site and from every other.
_REPORT_POLICY = f"{_PAGE_POLICY}; sandbox allow-scripts"
# Evidently's page draws with scripts inside the file. They are in the same sandbox.
_EVIDENTLY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; sandbox allow-scripts; frame-ancestors 'none'; base-uri 'none'"
)


class Decisions(BaseModel):
    """The last decisions about alerts and the last retrainings, newest first."""

    decisions: list[AlertDecision]
    retrainings: list[RetrainingRow]


@dataclass(frozen=True)
class Pages:
    """What can be read of a journal and a report folder."""

    journal: Journal
    folder: ReportFolder
    moves: Callable[[], Sequence[Move]]  # the promotion log as far as it is known, at once
    description: str  # how this service makes reports and retrains

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()

        @router.get("/", response_class=Response)
        def page() -> Response:
            """Show the latest verdict, reports, decisions and retrainings."""
            overview = read_overview(self.journal, self.folder, self.moves(), self.description, utc_now())
            return Response(
                service_page(overview.model_dump()), media_type="text/html", headers=_with_policy(_PAGE_POLICY)
            )

        @router.get("/history")
        def history() -> list[dict[str, Any]]:
            """Return what the last runs of the monitoring pipeline found, newest first."""
            return self.folder.history(SHOWN)

        @router.get("/decisions")
        def decisions() -> Decisions:
            """Return the last decisions about alerts and the last retrainings, newest first."""
            return Decisions(
                decisions=self.journal.decisions(SHOWN), retrainings=read_retrainings(self.journal, self.folder)
            )

        @router.get("/reports/latest", response_class=Response)
        def latest() -> Response:
            """Return the latest report as a page."""
            return self._file(self.folder.latest_page.name)

        @router.get("/reports/{name}", response_class=Response)
        def report(name: str) -> Response:
            """Return a report as a page or as JSON, or the log of a retraining."""
            return self._file(name)

        return router

    def _file(self, name: str) -> Response:
        path = self.folder.find(name)
        if path is None:
            raise HTTPException(404, "there is no such report")
        policy = _EVIDENTLY_POLICY if is_evidently(name) else _REPORT_POLICY
        return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix], headers=_with_policy(policy))


def _with_policy(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy}
