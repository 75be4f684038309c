"""The routes for whoever operates a service: /livez, /readyz and /metrics."""

import logging
from collections.abc import Callable

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine
from starlette.responses import Response

from bento.metrics import ServiceMetrics
from ledger.database import LedgerError, ping
from web.authentication import only_programs
from web.problems import unavailable
from web.status import Status

logger = logging.getLogger("bento")


def create_operation_router(metrics: ServiceMetrics, trouble: Callable[[], str | None]) -> APIRouter:
    """Return the routes. `trouble`: returns why requests cannot be answered now, or None."""
    router = APIRouter(tags=["operation"])

    @router.get("/livez")
    async def live() -> Status:
        """Report that the process is alive."""
        return Status()

    @router.get("/readyz", response_model=Status)
    def ready() -> Status | Response:
        """Report that requests can be answered: the model is verified and the database answers."""
        found = trouble()
        return unavailable(found) if found else Status()

    @router.get("/metrics", response_class=Response, dependencies=[Depends(only_programs)])
    def read_metrics() -> Response:
        """Return the metrics of all workers, for Prometheus."""
        return Response(metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


def ledger_trouble(engine: Engine, metrics: ServiceMetrics) -> str | None:
    """Return a sentence when the database does not answer, or None; the metric `ledger_up` says the same."""
    try:
        ping(engine)
    except LedgerError as error:
        logger.warning("Not ready: %s", error)
        metrics.ledger_up.set(0)
        return "the database does not answer"
    metrics.ledger_up.set(1)
    return None
