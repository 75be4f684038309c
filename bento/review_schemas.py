"""Requests and answers of review, as models."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bento.bodies import AnswerBody, RequestBody, storable

PredictionId = Annotated[str, Field(min_length=1, max_length=36), AfterValidator(storable)]


class ClaimRequest(RequestBody):
    """Which listing to review: the next one, or a certain one. `skipped`: ids that the caller does not want now."""

    prediction_id: PredictionId | None = None
    skipped: list[PredictionId] = Field(default_factory=list, max_length=200)


class ReleaseRequest(RequestBody):
    """A listing that the caller does not review now; with `skip` it is not offered to the caller again."""

    prediction_id: PredictionId
    skip: bool = False


class ReviewItem(AnswerBody):
    """A prediction that a reviewer should look at."""

    prediction_id: str
    designation: str
    description: str | None
    predicted_code: int
    predicted_class: str
    confidence: float
    abstained: bool
    novelty: bool
    language: str
    model_version: str
    created_at: datetime


class ClaimedItem(ReviewItem):
    """A listing that is held for the caller. `drawn`: from the random sample, or because the model is uncertain."""

    drawn: Literal["uncertain", "random"]
    held_until: datetime


class ClaimAnswer(AnswerBody):
    """The listing to review; null: there is none."""

    item: ClaimedItem | None


class ReviewAgreement(AnswerBody):
    """Listings that two reviewers or more have looked at; `equal`: of these, where all gave the same type."""

    listings: int
    equal: int
    share: float | None


class ReviewPair(AnswerBody):
    """How often reviewers gave one type where the model had given another."""

    from_code: int
    from_label: str | None
    to_code: int
    to_label: str | None
    count: int


class ReviewChanges(AnswerBody):
    """Listings with a reviewer's answer; `changed`: of these, where the newest one is not the model's."""

    reviews: int
    changed: int
    share: float | None
    pairs: list[ReviewPair]


class ReviewSettings(AnswerBody):
    """How listings are handed out."""

    users: bool
    quorum: int
    random_share: float
    hold_seconds: int


class ReviewStatus(AnswerBody):
    """How far the review is.

    Up to 10,000 listings of each kind are counted as left, and up to 100,000 as reviewed. `reviewed_by_me` is about
    the caller's newest 10,000 answers, `agreement` and `changed` about the newest 10,000 reviewed listings.
    """

    uncertain_left: int
    random_left: int
    held: int
    reviewed: int
    reviewed_by_me: int
    agreement: ReviewAgreement
    changed: ReviewChanges
    settings: ReviewSettings
