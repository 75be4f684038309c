"""The review of predictions: one listing at a time, held for whoever looks at it."""

from typing import Literal, NotRequired, TypedDict

from ui.services.prediction import Explanation
from ui.services.transport import Service

Drawn = Literal["uncertain", "random"]


class ReviewItem(TypedDict):
    """A listing to review. `drawn`: why it was chosen. Until `held_until` nobody else is given it."""

    prediction_id: str
    designation: str
    description: NotRequired[str | None]
    predicted_code: int
    predicted_class: str
    confidence: float
    abstained: bool
    language: str
    model_version: str
    created_at: str
    drawn: Drawn
    held_until: str


class Agreement(TypedDict):
    """How often two reviewers gave the same answer to the same listing. `share` None: no listing has two reviews."""

    listings: int
    equal: int
    share: float | None


class ChangedPair(TypedDict):
    """How often reviewers replaced one type by another. A type of another model has no label."""

    from_code: int
    from_label: str | None
    to_code: int
    to_label: str | None
    count: int


class Changed(TypedDict):
    """How many reviews gave another type than the model."""

    reviews: int
    changed: int
    share: float | None
    pairs: list[ChangedPair]


class ReviewSettings(TypedDict):
    """Who reviews, and how. `users`: plain users too; then `quorum` equal answers of theirs finish a listing."""

    users: bool
    quorum: int
    random_share: float
    hold_seconds: int


class ReviewStatus(TypedDict):
    """What is left to review, and what the reviews have brought."""

    uncertain_left: int
    random_left: int
    held: int
    reviewed: int
    reviewed_by_me: int
    agreement: Agreement
    changed: Changed
    settings: ReviewSettings


class ReviewService(Service):
    """The review of the prediction service."""

    name = "prediction"

    def claim(self, prediction_id: str | None = None) -> ReviewItem | None:
        """Return the listing that is held for the caller, or the next one, or the one asked for. None: none is left.

        Raises `ServiceError`; its status is 409 when somebody else holds the one asked for.
        """
        body = {"prediction_id": prediction_id} if prediction_id else {}
        answer: dict[str, ReviewItem | None] = self.ask("POST", "/review/claim", body=body)
        return answer["item"]

    def release(self, prediction_id: str, *, skip: bool) -> None:
        """Give a listing back; a skipped one is not offered to the caller again."""
        self.ask("POST", "/review/release", body={"prediction_id": prediction_id, "skip": skip})

    def explanation(self, prediction_id: str) -> Explanation | None:
        """Return which words decided about a prediction; None if another version than the served one gave it."""
        stored = self.ask("GET", f"/predictions/{prediction_id}", query={"explain": "true"})
        explanation: Explanation | None = stored.get("explanation")
        return explanation

    def status(self) -> ReviewStatus:
        """Return what is left, what was done, and how far reviewers agree."""
        status: ReviewStatus = self.ask("GET", "/review/status")
        return status
