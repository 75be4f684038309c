"""The two applications: the prediction service, and auth alone. Each is one ASGI callable behind the gate."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.access import Access, handle_ledger_errors
from bento.answerer import ListingAnswerer
from bento.auth import create_auth_router, create_directory_router
from bento.authentication import create_authentication
from bento.feedback import create_feedback_router
from bento.ledger_health import LedgerHealth
from bento.metrics import ServiceMetrics
from bento.openapi import describe_gate
from bento.operation import create_operation_router
from bento.pages import create_pages_router
from bento.predictions import create_prediction_router
from bento.refusals import RefusalTrail
from bento.review import create_review_router
from bento.revocations import RemoteAuth
from bento.schemas import FEEDBACK_BYTES, LISTING_BYTES, ServiceHealth
from bento.settings import Settings, review_rules
from bento.stored_predictions import create_stored_prediction_router
from bento.tokens import Signer, Verifier, key_set, public_key, public_keys
from bento.users import create_users_router
from catalog.predictor import Predictor
from ledger.callers import Caller
from ledger.database import open_engine
from ledger.writer import PredictionWriter
from web.application import create_app
from web.gate import Gate, Limits
from web.secret_store import private_key
from web.settings import SettingsError
from web.status import Status

Hook = Callable[[], Awaitable[None]]
KEY_FILE = "auth-ed25519.pem"
_SMALL_BODY, _ANONYMOUS_BODY = 64 * 2**10, 8 * 2**10  # bytes
_HELD_BODIES = 16  # of the greatest length, in memory at a time


@dataclass(frozen=True)
class Application:
    """An ASGI application, with hooks to await before its first and after its last request.

    It awaits them itself when the server speaks ASGI's lifespan protocol. Under BentoML
    `bento.service` awaits them.
    """

    answer: ASGIApp
    start: list[Hook] = field(default_factory=list)
    stop: list[Hook] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.answer(scope, receive, send)
            return
        for phase, hooks in (("startup", self.start), ("shutdown", self.stop)):
            await receive()
            for hook in hooks:
                await hook()
            await send({"type": f"lifespan.{phase}.complete"})


def create_prediction_service(settings: Settings, predictor: Predictor, *, multiprocess: bool) -> Application:
    """Return the prediction service. It includes auth, unless `auth_url` names an auth service.

    `multiprocess`: prometheus_client's multiprocess mode is on, for several workers.
    """
    metrics = ServiceMetrics(multiprocess=multiprocess)
    manifest = predictor.manifest
    metrics.model.labels(manifest.name, manifest.model_version).set(1)
    engine = open_engine(settings.database_url)
    remote = _remote_auth(settings)
    access = Access(engine, check_callers=remote is None)
    writer = PredictionWriter(engine, check_callers=remote is None)
    trail = RefusalTrail(engine, settings.trusted_proxies)
    metrics.on_refusal = trail.note
    ledger = LedgerHealth(engine, metrics)
    answerer = ListingAnswerer(predictor, writer, metrics, ledger)
    app = _app_with_pages(ledger, "Product types", manifest.model_version)
    app.include_router(create_prediction_router(answerer, access))
    rules = review_rules(settings)
    app.include_router(create_feedback_router(answerer, access, metrics, rules))
    app.include_router(create_review_router(manifest, access, metrics, rules))
    app.include_router(create_stored_prediction_router(answerer, access))
    if remote is None:
        secret = settings.required("jwt_secret")
        signer = Signer("HS256", secret)
        app.include_router(create_auth_router(access, signer, metrics, settings))
        app.include_router(create_users_router(access, signer, settings))
        verify: Callable[[str], Caller] = Verifier("HS256", {None: secret.encode()}).verify
    else:
        verify = remote.verify

    @app.get("/health", tags=["operation"])
    async def health() -> ServiceHealth:
        """Report that the service is up, and which model it serves."""
        return ServiceHealth(model_name=manifest.name, model_version=manifest.model_version)

    async def trouble() -> str | None:
        if remote and not remote.fresh:
            return "the auth service does not answer"
        return await ledger.trouble()

    app.include_router(create_operation_router(metrics, trouble))
    gate = _behind_gate(app, settings, metrics, verify, {"/metrics": settings.required("metrics_token")})

    async def close() -> None:
        await run_in_threadpool(writer.close)
        await run_in_threadpool(trail.close)
        engine.dispose()

    return Application(gate, [remote.start] if remote else [], [*([remote.stop] if remote else []), close])


def create_auth_service(settings: Settings) -> Application:
    """Return auth alone: it signs with Ed25519, and publishes its public key and the list of voided tokens."""
    metrics = ServiceMetrics(multiprocess=False)
    engine = open_engine(settings.database_url)
    access = Access(engine, check_callers=True)
    trail = RefusalTrail(engine, settings.trusted_proxies)
    metrics.on_refusal = trail.note
    pem = private_key(settings.state_dir / KEY_FILE)
    key_id, published = key_set(pem)
    ledger = LedgerHealth(engine, metrics)
    app = _app_with_pages(ledger, "Product types: auth")
    signer = Signer("EdDSA", pem, key_id)
    app.include_router(create_auth_router(access, signer, metrics, settings))
    app.include_router(create_users_router(access, signer, settings))
    app.include_router(create_directory_router(published, access))

    @app.get("/health", tags=["operation"])
    async def health() -> Status:
        """Report that the service is up."""
        return Status()

    app.include_router(create_operation_router(metrics, ledger.trouble))
    program_tokens = {
        "/metrics": settings.required("metrics_token"),
        "/revocations": settings.required("auth_service_token"),
    }
    verify = Verifier("EdDSA", public_keys(published)).verify

    async def close() -> None:
        await run_in_threadpool(trail.close)
        engine.dispose()

    return Application(_behind_gate(app, settings, metrics, verify, program_tokens), [], [close])


def _remote_auth(settings: Settings) -> RemoteAuth | None:
    if settings.auth_url is None:
        if settings.auth_public_key:
            raise SettingsError("AUTH_PUBLIC_KEY needs AUTH_URL: the list of revoked tokens is there")
        return None
    fixed = public_key(settings.auth_public_key) if settings.auth_public_key else None
    return RemoteAuth(settings.auth_url, settings.required("auth_service_token"), fixed)


def _app_with_pages(health: LedgerHealth, title: str, version: str = "1") -> FastAPI:
    app = create_app(title, version)
    handle_ledger_errors(app, health.failed)
    app.include_router(create_pages_router())
    return app


def _behind_gate(
    app: FastAPI,
    settings: Settings,
    metrics: ServiceMetrics,
    verify: Callable[[str], Caller],
    program_tokens: dict[str, str],
) -> Gate:
    describe_gate(app, frozenset(program_tokens))
    return Gate(
        app,
        authenticate=create_authentication(verify, program_tokens),
        limits=_limits(settings),
        metrics=metrics,
    )


def _limits(settings: Settings) -> Limits:
    most = settings.max_body_bytes
    return Limits(
        max_body_bytes=min(most, _SMALL_BODY),
        body_bytes_of={
            "/predict": min(most, LISTING_BYTES),
            "/predict/batch": most,
            "/feedback": min(most, FEEDBACK_BYTES),
        },
        anonymous_body_bytes=min(most, _ANONYMOUS_BODY),
        max_held_bytes=_HELD_BODIES * most,
        body_seconds=settings.body_timeout_seconds,
        max_in_flight=settings.max_in_flight,
        anonymous_in_flight=settings.max_anonymous_in_flight,
        timeout_seconds=settings.request_timeout_seconds,
    )
