"""The routes of stored predictions: one of them and why it was answered so, and all of the caller."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from bento.access import Access
from bento.answerer import ListingAnswerer
from bento.predict_request import EXPLAIN_DESCRIPTION, require_explainable
from bento.schemas import Explanation, FeedbackItem, Listing, StoredPrediction, StoredPredictions
from catalog.model_folder import Manifest
from ledger.callers import TRUSTED_ROLES, Caller
from ledger.feedback import GivenFeedback, feedback_on
from ledger.predictions import PredictionRecord, find_prediction, predictions_of_user
from ledger.review_queue import is_held_by
from web.authentication import Authenticated
from web.problems import problem_responses

_CURSOR = r"^[0-9]{1,17}\.[0-9A-Za-z-]{1,36}$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEEDBACK_IN_A_LIST = 20  # on each prediction, the newest
_Found = tuple[PredictionRecord, list[GivenFeedback]]


def create_stored_prediction_router(answerer: ListingAnswerer, access: Access) -> APIRouter:
    """Return the routes of stored predictions."""
    router = APIRouter(tags=["predictions"])
    manifest = answerer.manifest

    def read(caller: Caller, prediction_id: str) -> _Found:
        with access.reading(caller) as connection:
            record = visible_prediction(connection, caller, prediction_id)
            feedback = feedback_on(connection, [record.id])[record.id]
        if record.user_id != caller.user_id and caller.role not in TRUSTED_ROLES:  # who reviews it, and answers first
            feedback = [given for given in feedback if given.user_id == caller.user_id]
        return record, feedback

    @router.get("/predictions/{prediction_id}", response_model_exclude_none=True, responses=problem_responses(404, 422))
    async def stored_prediction(
        caller: Authenticated,
        prediction_id: str,
        explain: Annotated[bool, Query(description=EXPLAIN_DESCRIPTION)] = False,
    ) -> StoredPrediction:
        """Show a stored prediction with the feedback on it. Users see their own, reviewers anyone's.

        Users who hold a listing of somebody else see it too, without the feedback of others.

        With `explain` the terms that decided, if the version that gave it is the one that is served.
        `python run.py why` also explains the answers of versions that were replaced.
        """
        record, feedback = await run_in_threadpool(read, caller, prediction_id)
        shown = _shown(caller, record, feedback, manifest)
        if explain and shown.served:
            shown.explanation = await _explanation(answerer, record)
        return shown

    @router.get(
        "/me/predictions", response_model_exclude={"items": {"__all__": {"explanation"}}},
        responses=problem_responses(422),
    )  # fmt: skip
    def own_predictions(
        caller: Authenticated,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        before: Annotated[str | None, Query(pattern=_CURSOR, description="`next` of the page before")] = None,
    ) -> StoredPredictions:
        """List the caller's predictions with the feedback on them, the newest first."""
        with access.reading(caller) as connection:
            records = predictions_of_user(connection, caller.user_id, limit + 1, _read_cursor(before))
            page = records[:limit]
            feedback = feedback_on(connection, [record.id for record in page], _FEEDBACK_IN_A_LIST)
        items = [_shown(caller, record, feedback[record.id], manifest) for record in page]
        return StoredPredictions(items=items, next=_cursor(page[-1]) if len(records) > limit else None)

    return router


def _cursor(record: PredictionRecord) -> str:
    """Return what identifies the place of a prediction in a list, for the next request."""
    return f"{(record.created_at - _EPOCH) // timedelta(microseconds=1)}.{record.id}"


def _read_cursor(given: str | None) -> tuple[datetime, str] | None:
    if given is None:
        return None
    microseconds, _, prediction_id = given.partition(".")
    return _EPOCH + timedelta(microseconds=int(microseconds)), prediction_id


def visible_prediction(connection: Connection, caller: Caller, prediction_id: str) -> PredictionRecord:
    """Return a prediction.

    Raises `HTTPException`: to a user, the prediction of another user does not exist, unless the user holds it to
    review it.
    """
    record = find_prediction(connection, prediction_id)
    visible = record is not None and (record.user_id == caller.user_id or caller.role in TRUSTED_ROLES)
    if record is None or not (visible or is_held_by(connection, prediction_id, caller.user_id, datetime.now(UTC))):
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
    manifest: Manifest,
) -> StoredPrediction:
    of_model = record.model_name == manifest.name
    labels = manifest.labels if of_model else {}
    return StoredPrediction(
        prediction_id=record.id,
        created_at=record.created_at,
        designation=record.designation,
        description=record.description,
        predicted_code=record.predicted_code,
        predicted_class=labels.get(record.predicted_code),
        confidence=record.confidence,
        abstained=record.abstained,
        novelty=record.novelty or None,
        language=record.language,
        model_name=record.model_name,
        model_version=record.model_version,
        served=of_model and record.model_version == manifest.model_version,
        feedback=[_item(caller, given, labels) for given in feedback],
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
