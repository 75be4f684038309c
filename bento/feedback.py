"""The routes of what users do with predictions: /feedback, and erasing them."""

import logging
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from sqlalchemy import Connection
from starlette.responses import Response

from bento.access import Access, IdempotencyKey
from bento.answerer import ListingAnswerer
from bento.metrics import ServiceMetrics
from bento.schemas import Correction, Erased, FeedbackAnswer
from bento.stored_predictions import visible_prediction
from catalog.text import label_key
from ledger.audit import Party, record_event
from ledger.callers import Caller
from ledger.feedback import UnknownFeedbackError, UnknownPredictionError, give_feedback, withdraw_feedback
from ledger.predictions import (
    PredictionRecord,
    erase_predictions,
    last_prediction,
    last_prediction_of_text,
)
from ledger.review_state import ReviewRules
from web.authentication import Authenticated
from web.json_body import JsonRoute
from web.problems import problem_responses

logger = logging.getLogger("bento")


def create_feedback_router(
    answerer: ListingAnswerer, access: Access, metrics: ServiceMetrics, rules: ReviewRules
) -> APIRouter:
    """Return the routes of feedback and erasure. `rules`: who may give it, and when a listing is reviewed."""
    router = APIRouter(tags=["predictions"], route_class=JsonRoute)
    manifest = answerer.manifest

    @router.post("/feedback", response_model=FeedbackAnswer, responses=problem_responses(404, 409, 422))
    def give(caller: Authenticated, correction: Correction, key: IdempotencyKey = None) -> Response:
        """Say what the right type is. Users correct their own predictions and those they hold, reviewers anyone's."""
        code = _code_of(answerer, correction)
        prediction_id = _id_of(access, caller, correction, manifest.name)
        request = ("POST /feedback", correction.model_dump_json())
        counted: list[tuple[str, str]] = []

        def effect(connection: Connection) -> tuple[int, str]:
            now = datetime.now(UTC)
            record = _prediction_of(connection, caller, prediction_id, manifest.name)
            stored = give_feedback(connection, record.id, code, caller.user_id, caller.role, now, rules)
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

    @router.delete(
        "/feedback/{feedback_id}", status_code=204, response_class=Response, responses=problem_responses(404, 422)
    )
    def take_back(caller: Authenticated, feedback_id: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> None:
        """Take the own feedback back; what the caller said on that prediction before counts again."""
        now, me = datetime.now(UTC), Party.of(caller)
        with access.writing(caller) as connection:
            try:
                prediction_id = withdraw_feedback(connection, feedback_id, caller.user_id, now, rules)
            except (UnknownFeedbackError, UnknownPredictionError):
                raise HTTPException(404, "you have given no feedback with this id") from None
            record_event(connection, me, "feedback withdrawn", Party("", prediction_id), now, feedback=feedback_id)

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
