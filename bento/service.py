"""The service that `bentoml serve` runs, with the model that is packaged beside this code."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bentoml
import uvicorn.config

from bento.settings import worker_count
from bento.supervision import report_ready
from catalog.garbage import keep_what_is_loaded

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bento.application import Application


# BentoML's worker imports this module, and then lets uvicorn choose its protocol ("auto").
# By its name: the supervisor imports this module too, and needs no protocol.
uvicorn.config.HTTP_PROTOCOLS["auto"] = "web.connections:LimitedProtocol"


class RequestRouter:
    """Passes every request to our own application, and the lifespan to BentoML, which runs the hooks below in it.

    When the lifespan begins it replaces BentoML's own middleware, which sets a timer for every request and never
    cancels it: at a thousand requests a second the timers hold hundreds of megabytes. It also makes BentoML's own pages
    and routes unreachable.
    """

    application: "Application"
    model: str  # NAME:VERSION

    def __init__(self, app: "ASGIApp") -> None:
        self._bentoml = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "lifespan":
            scope["app"].middleware_stack = self
            await self._bentoml(scope, receive, send)
        else:
            await self.application(scope, receive, send)


@bentoml.service(
    name="product_types",
    http={"host": "127.0.0.1", "port": 3000},  # this machine only, by default
    workers=worker_count(),
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},
)
class ProductTypes:
    """Loads and verifies the model folder, and answers requests."""

    @bentoml.on_deployment
    @staticmethod
    def prepare() -> None:
        """Prepare once, before any worker starts."""
        # BentoML's supervisor has this folder on its path only while it imports this module.
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        from bento.deployment import prepare_service

        prepare_service()

    def __init__(self) -> None:
        # Before prometheus_client is loaded, which reads it then. BentoML names a folder that all services share.
        if folder := os.environ.get("METRICS_DIR"):
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        # Imported here, since the supervisor and the build of the Bento import this module and need none of these.
        from bento.application import create_prediction_service
        from bento.settings import Settings
        from catalog.predictor import Predictor
        from catalog.sentence_vectors import MEMORY_MIB

        settings = Settings.from_environment()
        predictor = Predictor(settings.model_dir)
        if predictor.encoder:
            sys.stderr.write(
                f"The model has sentence vectors ({predictor.encoder.name}): a title of usual length takes "
                f"{predictor.encoder.milliseconds:.1f} ms more, and this worker some {MEMORY_MIB} MiB more.\n"
            )
        RequestRouter.model = f"{predictor.manifest.name}:{predictor.manifest.model_version}"
        RequestRouter.application = create_prediction_service(
            settings, predictor, multiprocess="METRICS_DIR" in os.environ
        )

    @bentoml.on_startup
    async def start(self) -> None:
        """Run in each worker before its first request."""
        for hook in RequestRouter.application.start:
            await hook()
        keep_what_is_loaded()
        report_ready(RequestRouter.model)

    @bentoml.on_shutdown
    async def stop(self) -> None:
        """Run in each worker after its last request."""
        for hook in RequestRouter.application.stop:
            await hook()


cast(Any, ProductTypes).add_asgi_middleware(RequestRouter)
