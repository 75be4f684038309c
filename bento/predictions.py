"""Predictions, and what people say about them."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Connection
from starlette.responses import Response

from bento.access import KEY_DESCRIPTION, KEY_HEADER, Access, IdempotencyKey, Key, fingerprint
from bento.metrics import ServiceMetrics
from bento.schemas import (
    Batch,
    BatchAnswer,
    BatchItem,
    Correction,
    Erased,
    Explanation,
    FeedbackAnswer,
    Listing,
    ModelInfo,
    Prediction,
    RankedType,
    Reason,
    ReviewItem,
)
from catalog import predictor as core
from catalog.language import detect_language
from catalog.predictor import Predictor
from catalog.text import normalise
from ledger.audit import note
from ledger.callers import TRUSTED_ROLES, Caller
from ledger.feedback import give_feedback
from ledger.predictions import PredictionRecord, erase_predictions, find_prediction, last_prediction, review_queue
from ledger.receipts import ReceiptRecord
from ledger.writer import PredictionWriter
from web.authentication import Authenticated, caller_of, require
from web.problems import field_errors

_BREATH = 25  # listings of a batch between two looks at other requests


class Desk:
    """Answers listings, stores what it answered and only then gives the answer out."""

    def __init__(self, predictor: Predictor, writer: PredictionWriter, metrics: ServiceMetrics) -> None:
        self.predictor = predictor
        self.manifest = predictor.manifest
        self._writer = writer
        self._metrics = metrics
        self.codes_of_labels = {normalise(label): code for code, label in self.manifest.labels.items()}

    def answer(self, caller: Caller, listing: Listing, *, explain: bool) -> tuple[Prediction, PredictionRecord]:
        """Return the answer to one listing and the record of it, which is not stored yet."""
        found = self.predictor.predict_top_k(listing.designation, listing.description)
        language = detect_language(f"{listing.designation} {listing.description or ''}")
        prediction = Prediction.model_construct(
            prediction_id=str(uuid4()),
            predicted_class=found.label,
            predicted_code=found.code,
            confidence=found.confidence,
            abstained=found.abstained,
            top_k=[
                RankedType.model_construct(code=code, label=label, confidence=share)
                for code, label, share in found.top_k
            ],
            language=language,
            model_version=self.manifest.model_version,
            explanation=self._explain(listing, found.code) if explain else None,
        )
        record = PredictionRecord(
            prediction.prediction_id, caller.username, listing.designation, listing.description, found.code,
            found.confidence, found.abstained, language, self.manifest.name, self.manifest.model_version,
            datetime.now(UTC),
        )  # fmt: skip
        return prediction, record

    async def store(
        self, caller: Caller, records: list[PredictionRecord], receipt: ReceiptRecord | None
    ) -> ReceiptRecord | None:
        """Return once the records are committed, or the receipt of the same request made before, and count them."""
        self._metrics.waiting.inc(len(records))
        try:
            earlier = await self._writer.store(caller, records, receipt)
        finally:
            self._metrics.waiting.dec(len(records))
        if earlier is None:
            for record in records:
                self._metrics.prediction(self.manifest.labels[record.predicted_code], record)
        return earlier

    def _explain(self, listing: Listing, code: int) -> Explanation:
        supporting, opposing = self.predictor.explain(listing.designation, listing.description, code)
        return Explanation(supporting=_reasons(supporting), opposing=_reasons(opposing))


def _reasons(reasons: "list[core.Reason]") -> list[Reason]:
    return [Reason(term=reason.term, field=reason.field, contribution=reason.contribution) for reason in reasons]


def create_prediction_router(desk: Desk, access: Access, metrics: ServiceMetrics) -> APIRouter:
    """Return the routes of predictions, feedback and review."""
    router = APIRouter(tags=["predictions"])
    manifest = desk.manifest

    @router.post("/predict", response_model=Prediction, response_model_exclude_none=True, openapi_extra=_ASKED)
    async def predict(request: Request) -> Response:
        """Classify a listing. An answer is stored before it is given."""
        # Read by hand what FastAPI would read as parameters: it takes as long for that as the model for its answer.
        caller = await caller_of(request)
        options = _Options.of(request)
        explain, key = options.explain, options.key
        listing = _listing_in(await request.body())
        prediction, record = desk.answer(caller, listing, explain=explain)
        body = prediction.model_dump_json(exclude_none=True)
        receipt = key and _receipt(caller, key, body, "POST /predict", str(explain), listing.model_dump_json())
        return _json(await desk.store(caller, [record], receipt or None), body)

    @router.post("/predict/batch", response_model=BatchAnswer, response_model_exclude_none=True)
    async def predict_batch(caller: Authenticated, batch: Batch, key: IdempotencyKey = None) -> Response:
        """Classify up to 1,000 listings; each gets its own prediction or error."""
        items: list[BatchItem] = []
        records: list[PredictionRecord] = []
        for index, entry in enumerate(batch.listings):
            if index % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
            try:
                prediction, record = desk.answer(caller, Listing.model_validate(entry), explain=False)
            except ValidationError as error:
                errors = field_errors(error.errors(include_input=False, include_url=False, include_context=False))
                items.append(BatchItem.model_construct(index=index, prediction=None, errors=errors))
            else:
                records.append(record)
                items.append(BatchItem.model_construct(index=index, prediction=prediction, errors=None))
        body = BatchAnswer.model_construct(results=items).model_dump_json(exclude_none=True)
        receipt = key and _receipt(caller, key, body, "POST /predict/batch", batch.model_dump_json())
        return _json(await desk.store(caller, records, receipt or None), body)

    @router.post("/feedback", response_model=FeedbackAnswer)
    def give(caller: Authenticated, correction: Correction, key: IdempotencyKey = None) -> Response:
        """Say what the right type is. Users correct their own predictions, reviewers anyone's."""
        code = _code_of(desk, correction)
        request = ("POST /feedback", correction.model_dump_json())
        counted: list[tuple[str, str]] = []

        def effect(connection: Connection) -> tuple[int, str]:
            record = _meant(connection, caller, correction.prediction_id, manifest.name)
            now = datetime.now(UTC)
            stored = give_feedback(connection, record.id, code, caller.username, caller.role, now)
            if stored.created:
                counted.append((caller.role, "agreed" if record.predicted_code == code else "corrected"))
            answer = FeedbackAnswer(
                feedback_id=stored.id,
                prediction_id=record.id,
                correct_code=code,
                correct_label=manifest.labels[code],
                created=stored.created,
            )
            return 200, answer.model_dump_json()

        _, body = access.once(caller, key, request, effect)
        for role, outcome in counted[-1:]:
            metrics.feedback.labels(role, outcome).inc()
        return Response(body, media_type="application/json")

    @router.get("/review", dependencies=[Depends(require(*TRUSTED_ROLES))])
    def review(
        caller: Authenticated,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> list[ReviewItem]:
        """List predictions that no reviewer has looked at: abstained ones first, then the least certain."""
        with access.reading(caller) as connection:
            records = review_queue(connection, manifest.name, limit, offset)
        return [_review_item(record, manifest.labels) for record in records]

    @router.delete("/me/predictions")
    def erase(caller: Authenticated) -> Erased:
        """Erase the caller's predictions, the feedback on them, and stored answers."""
        with access.writing(caller) as connection:
            erased = erase_predictions(connection, caller.username)
            note(connection, caller.username, "predictions erased", caller.username, datetime.now(UTC), erased=erased)
        return Erased(erased=erased)

    @router.get("/model-info")
    def model_info(caller: Authenticated) -> ModelInfo:
        """Tell what is served, how good it is and how it came about."""
        with access.reading(caller):
            return ModelInfo(
                name=manifest.name,
                version=manifest.model_version,
                run_id=manifest.run_id,
                data_hash=manifest.data_hash,
                registered_at=manifest.registered_at,
                parameters=dict(manifest.parameters),
                metrics=dict(manifest.scores),
                taxonomy=dict(manifest.labels),
                abstention_threshold=manifest.threshold,
                card=desk.predictor.card,
            )

    return router


class _Options(BaseModel):
    """What /predict may be told beside the listing."""

    explain: bool = False
    key: Key | None = None

    @classmethod
    def of(cls, request: Request) -> "_Options":
        """Read a request's query and headers. Raises `RequestValidationError`."""
        explain, key = request.query_params.get("explain"), request.headers.get(KEY_HEADER)
        if explain is None and key is None:
            return _PLAIN
        given = {"explain": explain, "key": key}
        try:
            return cls.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


_PLAIN = _Options()
_ASKED = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Listing"}}},
    },
    "parameters": [
        {
            "name": "explain",
            "in": "query",
            "schema": {"type": "boolean", "default": False},
            "description": "Add the terms that spoke for and against the type.",
        },
        {"name": KEY_HEADER, "in": "header", "schema": TypeAdapter(Key).json_schema(), "description": KEY_DESCRIPTION},
    ],
}


def _listing_in(body: bytes) -> Listing:
    """Return the listing that a body holds. Raises `RequestValidationError` as FastAPI does."""
    try:
        return Listing.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**entry, "loc": ("body", *entry["loc"])} for entry in errors]) from None


def _receipt(caller: Caller, key: str, body: str, *request: str) -> ReceiptRecord:
    return ReceiptRecord(caller.username, key, fingerprint(*request), 200, body, datetime.now(UTC))


def _json(earlier: ReceiptRecord | None, body: str) -> Response:
    return Response(earlier.body if earlier else body, media_type="application/json")


def _code_of(desk: Desk, correction: Correction) -> int:
    """Return the code that a correction names. Raises `HTTPException` for one that the taxonomy does not have."""
    if correction.correct_code is not None:
        if correction.correct_code in desk.manifest.labels:
            return correction.correct_code
        raise HTTPException(422, "correct_code is not in the taxonomy; GET /model-info lists it")
    code = desk.codes_of_labels.get(normalise(correction.correct_label or ""))
    if code is None:
        raise HTTPException(422, "correct_label is not in the taxonomy; GET /model-info lists it")
    return code


def _meant(connection: Connection, caller: Caller, prediction_id: str | None, model_name: str) -> PredictionRecord:
    """Return the prediction that feedback is about. Raises `HTTPException`; others' look to users as if not there."""
    if prediction_id is None:
        record = last_prediction(connection, caller.username, model_name)
        if record is None:
            raise HTTPException(404, "you have no prediction yet")
        return record
    record = find_prediction(connection, prediction_id)
    theirs = record is not None and (record.username == caller.username or caller.role in TRUSTED_ROLES)
    if record is None or not theirs or record.model_name != model_name:
        raise HTTPException(404, "there is no such prediction")
    return record


def _review_item(record: PredictionRecord, labels: Mapping[int, str]) -> ReviewItem:
    return ReviewItem(
        prediction_id=record.id,
        designation=record.designation,
        description=record.description,
        predicted_code=record.predicted_code,
        predicted_class=labels.get(record.predicted_code, str(record.predicted_code)),
        confidence=record.confidence,
        abstained=record.abstained,
        language=record.language,
        model_version=record.model_version,
        created_at=record.created_at,
    )
