"""What `bentoml serve` serves: the prediction service around the model that is packaged beside this code."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bentoml

from bento.settings import worker_count

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bento.application import Application


class Entrance:
    """Leads every request to our own application; BentoML keeps the lifespan, in which it runs the hooks below.

    When that begins it moves before BentoML's own middleware, which sets a timer for every request and never cancels
    it: at a thousand requests a second those hold hundreds of megabytes. BentoML's own pages and routes are out of
    reach, too.
    """

    application: "Application"

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
    http={"host": "127.0.0.1", "port": 3000},  # this machine only, unless told otherwise
    workers=worker_count(),
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},
)
class ProductTypes:
    """Loads the model folder, which must be what its manifest says, and answers."""

    @bentoml.on_deployment
    @staticmethod
    def prepare() -> None:
        """Once, before any worker."""
        # BentoML's supervisor has this folder on its path only while it imports this module.
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        from bento.deployment import prepare_service

        prepare_service()

    def __init__(self) -> None:
        # Here, since the supervisor and whoever builds the Bento import this module too and need none of it.
        from bento.application import create_prediction_service
        from bento.settings import Settings
        from catalog.predictor import Predictor

        settings = Settings.from_environment()
        Entrance.application = create_prediction_service(
            settings, Predictor(settings.model_dir), multiprocess="PROMETHEUS_MULTIPROC_DIR" in os.environ
        )

    @bentoml.on_startup
    async def start(self) -> None:
        """In each worker, before its first request."""
        for hook in Entrance.application.start:
            await hook()

    @bentoml.on_shutdown
    async def stop(self) -> None:
        """In each worker, after its last request."""
        for hook in Entrance.application.stop:
            await hook()


cast(Any, ProductTypes).add_asgi_middleware(Entrance)
