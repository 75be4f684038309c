"""The routes of review: /review lists what to look at, the others hand it out, one listing to one person at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from starlette.responses import Response

from bento.access import Access
from bento.metrics import ServiceMetrics
from bento.review_schemas import (
    ClaimAnswer,
    ClaimedItem,
    ClaimRequest,
    ReleaseRequest,
    ReviewAgreement,
    ReviewChanges,
    ReviewItem,
    ReviewPair,
    ReviewSettings,
    ReviewStatus,
)
from catalog.model_folder import Manifest
from ledger.callers import TRUSTED_ROLES, Caller
from ledger.predictions import PredictionRecord, find_prediction
from ledger.review_figures import ReviewFigures, read_figures
from ledger.review_queue import (
    Claim,
    Claimant,
    HeldError,
    claim_next,
    claim_this,
    release,
    review_queue,
    sample_queue,
    skip,
)
from ledger.review_state import ReviewRules
from web.authentication import Authenticated, require
from web.json_body import JsonRoute
from web.problems import problem_responses

_UNKNOWN = "there is no such prediction to review"


def create_review_router(manifest: Manifest, access: Access, metrics: ServiceMetrics, rules: ReviewRules) -> APIRouter:
    """Return the routes. `rules`: who reviews, and how listings are handed out."""
    router = APIRouter(tags=["review"], route_class=JsonRoute)
    reviewers = [Depends(require(*TRUSTED_ROLES))]
    people = [Depends(require(*TRUSTED_ROLES, "user"))] if rules.users else reviewers

    @router.get("/review", dependencies=reviewers, responses=problem_responses(403, 422))
    def review(
        caller: Authenticated,
        sample: Literal["uncertain", "random"] = "uncertain",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> list[ReviewItem]:
        """List predictions that nobody has reviewed: abstained ones first, then the least certain.

        `sample=random` lists one in sixteen, drawn at random, the newest first. The others never contain these. Only
        their reviews decide between the model in production and a new one, so review them too.
        """
        queue = sample_queue if sample == "random" else review_queue
        with access.reading(caller) as connection:
            records = queue(connection, manifest.name, limit, offset)
        return [ReviewItem(**_fields(record, manifest.labels)) for record in records]

    @router.post("/review/claim", dependencies=people, responses=problem_responses(403, 404, 409, 422))
    def claim(caller: Authenticated, wanted: ClaimRequest) -> ClaimAnswer:
        """Get a listing to review, and hold it: nobody else gets it for some minutes.

        The least certain ones come first, and at random one of the random sample in between. A caller who holds one
        gets it again. Feedback on it, or a release, ends the hold.
        """
        who, now = _claimant(caller, manifest), datetime.now(UTC)
        with access.writing(caller) as connection:
            try:
                if wanted.prediction_id is None:
                    found = claim_next(connection, who, now, rules, wanted.skipped)
                elif (found := claim_this(connection, who, wanted.prediction_id, now, rules)) is None:
                    raise HTTPException(404, _UNKNOWN)
            except HeldError as error:
                raise HTTPException(409, str(error)) from None
        metrics.claims.labels(found.drawn if found else "none").inc()
        return ClaimAnswer(item=_claimed(found, manifest.labels) if found else None)

    @router.post(
        "/review/release", dependencies=people, status_code=204, response_class=Response,
        responses=problem_responses(403, 404, 422),
    )  # fmt: skip
    def give_back(caller: Authenticated, given: ReleaseRequest) -> None:
        """Give a listing back unreviewed. With `skip` it is not offered to the caller again."""
        with access.writing(caller) as connection:
            record = find_prediction(connection, given.prediction_id)
            if record is None or record.model_name != manifest.name:
                raise HTTPException(404, _UNKNOWN)
            release(connection, record.id, caller.user_id)
            if given.skip:
                skip(connection, record.id, caller.user_id)

    @router.get("/review/status", dependencies=people, responses=problem_responses(403))
    def status(caller: Authenticated) -> ReviewStatus:
        """Show how much is left to review, how far reviewers agree, and what they change."""
        with access.reading(caller) as connection:
            figures = read_figures(connection, caller.user_id, manifest.name, datetime.now(UTC))
        return _status(figures, manifest.labels, rules)

    return router


def _claimant(caller: Caller, manifest: Manifest) -> Claimant:
    return Claimant(caller.user_id, caller.role in TRUSTED_ROLES, manifest.name)


def _claimed(claim: Claim, labels: Mapping[int, str]) -> ClaimedItem:
    return ClaimedItem(**_fields(claim.record, labels), drawn=claim.drawn, held_until=claim.held_until)


def _fields(record: PredictionRecord, labels: Mapping[int, str]) -> dict[str, Any]:
    """Return the fields of a `ReviewItem`."""
    return {
        "prediction_id": record.id,
        "designation": record.designation,
        "description": record.description,
        "predicted_code": record.predicted_code,
        "predicted_class": labels.get(record.predicted_code, str(record.predicted_code)),
        "confidence": record.confidence,
        "abstained": record.abstained,
        "novelty": record.novelty,
        "language": record.language,
        "model_version": record.model_version,
        "created_at": record.created_at,
    }


def _status(figures: ReviewFigures, labels: Mapping[int, str], rules: ReviewRules) -> ReviewStatus:
    pairs = [
        ReviewPair(
            from_code=change.from_code,
            from_label=labels.get(change.from_code),
            to_code=change.to_code,
            to_label=labels.get(change.to_code),
            count=change.count,
        )
        for change in figures.changes
    ]
    return ReviewStatus(
        uncertain_left=figures.uncertain_left,
        random_left=figures.random_left,
        held=figures.held,
        reviewed=figures.reviewed,
        reviewed_by_me=figures.reviewed_by_me,
        agreement=ReviewAgreement(
            listings=figures.compared, equal=figures.equal, share=_share(figures.equal, figures.compared)
        ),
        changed=ReviewChanges(
            reviews=figures.judged,
            changed=figures.changed,
            share=_share(figures.changed, figures.judged),
            pairs=pairs,
        ),
        settings=ReviewSettings(
            users=rules.users,
            quorum=rules.quorum,
            random_share=rules.random_share,
            hold_seconds=rules.hold_seconds,
        ),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
