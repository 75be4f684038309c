"""The routes of predictions: /predict, /predict/batch and /model-info."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from bento import predict_request
from bento.access import Access, fingerprint
from bento.answerer import ListingAnswerer
from bento.schemas import BatchAnswer, ModelInfo, Prediction, SentenceVectors
from ledger.callers import Caller
from ledger.receipts import ReceiptRecord
from web.authentication import Authenticated, caller_of
from web.problems import problem_responses


def create_prediction_router(answerer: ListingAnswerer, access: Access) -> APIRouter:
    """Return the routes of predictions."""
    router = APIRouter(tags=["predictions"])
    manifest = answerer.manifest

    @router.post(
        "/predict",
        response_model=Prediction,
        response_model_exclude_none=True,
        openapi_extra=predict_request.describe("Listing", explain=True),
        responses=problem_responses(409, 422),
    )
    async def predict(request: Request) -> Response:
        """Classify a listing. The answer is stored before it is given."""
        caller = await caller_of(request)
        options = predict_request.read_options(request)
        explain, key, top = options.explain, options.key, options.top
        listing = predict_request.read_listing(await request.body(), explain=explain)
        prediction, record = await answerer.answer(caller, listing, top=top, explain=explain)
        body = to_json(prediction)
        asked = ("POST /predict", str(explain), str(top))
        receipt = _receipt(caller, key, body, *asked, listing.model_dump_json()) if key else None
        return _answer(await answerer.store(caller, [record], receipt), body)

    @router.post(
        "/predict/batch",
        response_model=BatchAnswer,
        response_model_exclude_none=True,
        openapi_extra=predict_request.describe("Batch"),
        responses=problem_responses(409, 422),
    )
    async def predict_batch(request: Request) -> Response:
        """Classify up to 1,000 listings; each gets its own prediction or error."""
        caller = await caller_of(request)
        options = predict_request.read_options(request)
        key, top = options.key, options.top
        batch = predict_request.read_batch(await request.body())
        items, records = await answerer.answer_batch(caller, batch.listings, top=top)
        body = b'{"results":[%b]}' % b",".join(items)
        receipt = _receipt(caller, key, body, "POST /predict/batch", str(top), batch.model_dump_json()) if key else None
        return _answer(await answerer.store(caller, records, receipt), body)

    encoder = answerer.predictor.encoder
    vectors = SentenceVectors(encoder=encoder.name, milliseconds=encoder.milliseconds) if encoder else None

    @router.get("/model-info")
    def model_info(caller: Authenticated) -> ModelInfo:
        """Show which model is served, how good it is and how it was made."""
        with access.reading(caller):
            return ModelInfo(
                name=manifest.name,
                version=manifest.model_version,
                model_version=manifest.model_version,
                run_id=manifest.run_id,
                data_hash=manifest.data_hash,
                registered_at=manifest.registered_at,
                parameters=dict(manifest.parameters),
                metrics=dict(manifest.scores),
                taxonomy=dict(manifest.labels),
                abstention_threshold=manifest.threshold,
                abstains_on_novelty=manifest.abstains_on_novelty,
                sentence_vectors=vectors,
                card=answerer.predictor.card,
            )

    return router


def _receipt(caller: Caller, key: str, body: bytes, *request: str) -> ReceiptRecord:
    return ReceiptRecord(caller.user_id, key, fingerprint(*request), 200, body.decode(), datetime.now(UTC))


def _answer(earlier: ReceiptRecord | None, body: bytes) -> Response:
    return Response(earlier.body if earlier else body, media_type="application/json")
