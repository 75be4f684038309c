"""The routes of what users do with predictions: /feedback, /review and /me/predictions."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy import Connection
from starlette.responses import Response

from bento.access import Access, IdempotencyKey
from bento.answerer import ListingAnswerer
from bento.metrics import ServiceMetrics
from bento.schemas import Correction, Erased, FeedbackAnswer, ReviewItem
from bento.stored_predictions import visible_prediction
from catalog.text import label_key
from ledger.audit import Party, record_event
from ledger.callers import TRUSTED_ROLES, Caller
from ledger.feedback import give_feedback
from ledger.predictions import (
    PredictionRecord,
    erase_predictions,
    last_prediction,
    last_prediction_of_text,
    review_queue,
    sample_queue,
)
from web.authentication import Authenticated, require
from web.json_body import JsonRoute
from web.problems import problem_responses

logger = logging.getLogger("bento")


def create_feedback_router(answerer: ListingAnswerer, access: Access, metrics: ServiceMetrics) -> APIRouter:
    """Return the routes of feedback, review and erasure."""
    router = APIRouter(tags=["predictions"], route_class=JsonRoute)
    manifest = answerer.manifest

    @router.post("/feedback", response_model=FeedbackAnswer, responses=problem_responses(404, 409, 422))
    def give(caller: Authenticated, correction: Correction, key: IdempotencyKey = None) -> Response:
        """Say what the right type is. Users correct their own predictions, reviewers anyone's."""
        code = _code_of(answerer, correction)
        prediction_id = _id_of(access, caller, correction, manifest.name)
        request = ("POST /feedback", correction.model_dump_json())
        counted: list[tuple[str, str]] = []

        def effect(connection: Connection) -> tuple[int, str]:
            record = _prediction_of(connection, caller, prediction_id, manifest.name)
            now = datetime.now(UTC)
            stored = give_feedback(connection, record.id, code, caller.user_id, caller.role, now)
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

        _, body = access.run_once(caller, key, request, effect)
        for role, outcome in counted[-1:]:
            metrics.feedback.labels(role, outcome).inc()
        return Response(body, media_type="application/json")

    @router.get("/review", dependencies=[Depends(require(*TRUSTED_ROLES))], responses=problem_responses(403, 422))
    def review(
        caller: Authenticated,
        sample: Literal["uncertain", "random"] = "uncertain",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> list[ReviewItem]:
        """List predictions that no reviewer has looked at: abstained ones first, then the least certain.

        `sample=random` lists one in sixteen, drawn at random, the newest first. The others never contain these. Only
        their reviews decide between the model in production and a new one, so review them too.
        """
        queue = sample_queue if sample == "random" else review_queue
        with access.reading(caller) as connection:
            records = queue(connection, manifest.name, limit, offset)
        return [_review_item(record, manifest.labels) for record in records]

    @router.delete("/me/predictions")
    def erase(caller: Authenticated) -> Erased:
        """Erase the caller's predictions, the feedback on them, and stored answers."""
        me, now = Party.of(caller), datetime.now(UTC)
        with access.writing(caller) as connection:
            erased = erase_predictions(connection, caller.user_id, now)
            record_event(connection, me, "predictions erased", me, now, erased=erased)
        access.empty_log()
        return Erased(erased=erased)

    return router


def _code_of(answerer: ListingAnswerer, correction: Correction) -> int:
    """Return the code that a correction names. Raises `HTTPException` for one that is not in the taxonomy."""
    if correction.correct_code is not None:
        if correction.correct_code in answerer.manifest.labels:
            return correction.correct_code
        raise HTTPException(422, "correct_code is not in the taxonomy; GET /model-info lists it")
    code = answerer.codes_of_labels.get(label_key(correction.correct_label or ""))
    if code is None:
        raise HTTPException(422, "correct_label is not in the taxonomy; GET /model-info lists it")
    return code


def _id_of(access: Access, caller: Caller, correction: Correction, model_name: str) -> str | None:
    """Return the id of the prediction that a correction names by id or by text; None: it names none.

    Raises `HTTPException` for a text of which the caller has no prediction. The search takes the longer the more
    predictions the caller has since. So it is made before the transaction that writes, during which others wait.
    """
    if correction.designation is None:
        return correction.prediction_id
    with access.reading(caller) as connection:
        found = last_prediction_of_text(
            connection, caller.user_id, model_name, correction.designation, correction.description
        )
    if found is None:
        raise HTTPException(404, "you have no prediction of this text: designation and description must be as sent")
    return found.id


def _prediction_of(
    connection: Connection, caller: Caller, prediction_id: str | None, model_name: str
) -> PredictionRecord:
    """Return the prediction that feedback is about. Raises `HTTPException`."""
    if prediction_id is None:
        record = last_prediction(connection, caller.user_id, model_name)
        if record is None:
            raise HTTPException(404, "you have no prediction yet")
        return record
    record = visible_prediction(connection, caller, prediction_id)
    if record.model_name != model_name:
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
