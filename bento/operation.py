"""The routes for whoever operates a service: /livez, /readyz and /metrics."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response

from bento.metrics import ServiceMetrics
from web.authentication import only_programs
from web.problems import unavailable
from web.status import Status


def create_operation_router(metrics: ServiceMetrics, trouble: Callable[[], Awaitable[str | None]]) -> APIRouter:
    """Return the routes. `trouble`: returns why requests cannot be answered now, or None."""
    router = APIRouter(tags=["operation"])

    @router.get("/livez")
    async def live() -> Status:
        """Report that the process is alive."""
        return Status()

    @router.get("/readyz", response_model=Status)
    async def ready() -> Status | Response:
        """Report that requests can be answered: the model is verified, and the database can be read and written."""
        found = await trouble()
        return unavailable(found) if found else Status()

    @router.get("/metrics", response_class=Response, dependencies=[Depends(only_programs)])
    def read_metrics() -> Response:
        """Return the metrics of all workers, for Prometheus."""
        return Response(metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router
