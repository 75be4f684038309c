"""The prediction service: answers, feedback, and what it stores of a user."""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

from ui.services.transport import Service

BATCH_LISTINGS = 1_000
BATCH_CHARACTERS = 1_000_000
TITLE_CHARACTERS = 10_000
DESCRIPTION_CHARACTERS = 20_000
EXPLAINED_CHARACTERS = 10_000


class Listing(TypedDict):
    """What is classified."""

    designation: str
    description: NotRequired[str | None]


class RankedType(TypedDict):
    """One of the likeliest types."""

    code: int
    label: str
    confidence: float


class Span(TypedDict):
    """A part of a field's text, in code points."""

    field: Literal["designation", "description"]
    start: int
    end: int


class Reason(TypedDict):
    """A term that spoke for the predicted type or against it."""

    term: str
    field: str
    contribution: float
    spans: list[Span]


class Explanation(TypedDict):
    """The terms with the most weight."""

    supporting: list[Reason]
    opposing: list[Reason]


class Prediction(TypedDict):
    """An answer. `novelty` is there where the listing looks like nothing the model has learned from."""

    prediction_id: str
    predicted_class: str
    predicted_code: int
    confidence: float
    abstained: bool
    top_k: list[RankedType]
    language: str
    model_version: str
    novelty: NotRequired[Literal[True]]
    explanation: NotRequired[Explanation]


class BatchItem(TypedDict):
    """The answer to one listing of a batch, or what is wrong with it."""

    index: int
    prediction: NotRequired[Prediction]
    errors: NotRequired[list[dict[str, str]]]


class GivenFeedback(TypedDict):
    """What somebody said on a prediction."""

    correct_code: int
    correct_label: NotRequired[str]
    role: str
    given_at: str
    given_by: NotRequired[str]


class StoredPrediction(TypedDict):
    """A prediction as it is stored."""

    prediction_id: str
    created_at: str
    designation: str
    description: NotRequired[str]
    predicted_code: int
    predicted_class: NotRequired[str]
    confidence: float
    abstained: bool
    language: str
    model_name: str
    model_version: str
    feedback: list[GivenFeedback]


class StoredPage(TypedDict):
    """A page of the caller's stored predictions; `next` is where the one after it begins."""

    items: list[StoredPrediction]
    next: str | None


class Feedback(TypedDict):
    """A correction as it was stored."""

    feedback_id: int
    prediction_id: str
    correct_code: int
    correct_label: str
    created: bool


class ModelInfo(TypedDict):
    """The model that is served. `taxonomy`: label by code, which is a text in JSON."""

    name: str
    version: str
    metrics: dict[str, float]
    taxonomy: dict[str, str]
    abstention_threshold: float | None


class PredictionService(Service):
    """The prediction service."""

    name = "prediction"

    def predict(self, listing: Listing, *, top: int = 5) -> Prediction:
        """Classify a listing. The answer is explained unless the listing is too long for that."""
        length = len(listing["designation"]) + len(listing.get("description") or "")
        query = {"explain": "true" if length <= EXPLAINED_CHARACTERS else None, "top": top}
        answer: Prediction = self.ask("POST", "/predict", query=query, body=listing)
        return answer

    def predict_batch(self, listings: Sequence[Listing], key: str) -> list[BatchItem]:
        """Classify up to 1,000 listings; sent again with the same key, they are answered as before."""
        answer: dict[str, list[BatchItem]] = self.ask(
            "POST", "/predict/batch", body={"listings": list(listings)}, key=key
        )
        return answer["results"]

    def give_feedback(self, prediction_id: str, correct_code: int, key: str | None = None) -> Feedback:
        """Say what the right type of a prediction is."""
        body = {"prediction_id": prediction_id, "correct_code": correct_code}
        answer: Feedback = self.ask("POST", "/feedback", body=body, key=key)
        return answer

    def take_back_feedback(self, feedback_id: int) -> None:
        """Take back what the caller has said on a prediction."""
        self.ask("DELETE", f"/feedback/{feedback_id}")

    def my_predictions(self, *, limit: int, before: str | None = None) -> StoredPage:
        """Return the caller's predictions, the newest first."""
        page: StoredPage = self.ask("GET", "/me/predictions", query={"limit": limit, "before": before})
        return page

    def erase_my_predictions(self) -> int:
        """Erase all predictions of the caller and return how many there were."""
        answer: dict[str, Any] = self.ask("DELETE", "/me/predictions")
        return int(answer["erased"])

    def model_info(self) -> ModelInfo:
        """Return the model that is served."""
        info: ModelInfo = self.ask("GET", "/model-info")
        return info
