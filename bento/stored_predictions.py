"""The route /predictions/{prediction_id}: why a listing was answered as it was."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from bento.access import Access
from bento.answerer import ListingAnswerer
from bento.predict_request import EXPLAIN_DESCRIPTION, require_explainable
from bento.schemas import Explanation, FeedbackItem, Listing, StoredPrediction
from ledger.callers import TRUSTED_ROLES, Caller
from ledger.feedback import GivenFeedback, feedback_on
from ledger.predictions import PredictionRecord, find_prediction
from web.authentication import Authenticated
from web.problems import problem_responses

_Found = tuple[PredictionRecord, list[GivenFeedback]]


def create_stored_prediction_router(answerer: ListingAnswerer, access: Access) -> APIRouter:
    """Return the route of stored predictions."""
    router = APIRouter(tags=["predictions"])
    manifest = answerer.manifest

    def read(caller: Caller, prediction_id: str) -> _Found:
        with access.reading(caller) as connection:
            record = visible_prediction(connection, caller, prediction_id)
            return record, feedback_on(connection, record.id)

    @router.get("/predictions/{prediction_id}", response_model_exclude_none=True, responses=problem_responses(404, 422))
    async def stored_prediction(
        caller: Authenticated,
        prediction_id: str,
        explain: Annotated[bool, Query(description=EXPLAIN_DESCRIPTION)] = False,
    ) -> StoredPrediction:
        """Show a stored prediction with the feedback on it. Users see their own, reviewers anyone's.

        With `explain` the terms that decided, if the version that gave it is the one that is served.
        `python run.py why` also explains the answers of versions that were replaced.
        """
        record, feedback = await run_in_threadpool(read, caller, prediction_id)
        of_model = record.model_name == manifest.name
        served = of_model and record.model_version == manifest.model_version
        explanation = await _explanation(answerer, record) if explain and served else None
        return _shown(caller, record, feedback, manifest.labels if of_model else {}, served, explanation)

    return router


def visible_prediction(connection: Connection, caller: Caller, prediction_id: str) -> PredictionRecord:
    """Return a prediction. Raises `HTTPException`: to a user, the prediction of another user does not exist."""
    record = find_prediction(connection, prediction_id)
    if record is None or not (record.user_id == caller.user_id or caller.role in TRUSTED_ROLES):
        raise HTTPException(404, "there is no such prediction")
    return record


async def _explanation(answerer: ListingAnswerer, record: PredictionRecord) -> Explanation | None:
    if record.predicted_code not in answerer.predictor.classes:  # of another registry's version of this number
        return None
    listing = Listing.model_construct(designation=record.designation, description=record.description)
    require_explainable(listing, "path")
    return await answerer.explain(listing, record.predicted_code)


def _shown(
    caller: Caller,
    record: PredictionRecord,
    feedback: list[GivenFeedback],
    labels: Mapping[int, str],
    served: bool,
    explanation: Explanation | None,
) -> StoredPrediction:
    return StoredPrediction(
        prediction_id=record.id,
        created_at=record.created_at,
        designation=record.designation,
        description=record.description,
        predicted_code=record.predicted_code,
        predicted_class=labels.get(record.predicted_code),
        confidence=record.confidence,
        abstained=record.abstained,
        language=record.language,
        model_name=record.model_name,
        model_version=record.model_version,
        served=served,
        feedback=[_item(caller, given, labels) for given in feedback],
        explanation=explanation,
    )


def _item(caller: Caller, given: GivenFeedback, labels: Mapping[int, str]) -> FeedbackItem:
    named = caller.role in TRUSTED_ROLES or given.user_id == caller.user_id
    return FeedbackItem(
        correct_code=given.correct_code,
        correct_label=labels.get(given.correct_code),
        role=given.role,
        given_at=given.given_at,
        given_by=(given.username or given.user_id) if named else None,
    )
