"""Requests and answers about listings, predictions and the model, as models."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from bento.bodies import AnswerBody, RequestBody, storable
from catalog.contract import CONTRACT
from catalog.language import LANGUAGES, UNDETERMINED
from catalog.listing_size import NORMALISED_LIMIT, is_longer
from catalog.text import is_blank

# The limits follow from a budget: the worst text takes 4 µs a character, so a listing takes up to 0.1 s of a worker and
# a batch up to 4 s.
BATCH_LIMIT = 1_000  # listings
BATCH_CHARACTERS = 1_000_000
EXPLAINED_CHARACTERS = 10_000
BATCH_VALUES = 50_000  # field names, strings, numbers, lists and objects
# The longest body of one listing, with every character as an escaped pair of surrogates.
LISTING_BYTES = 12 * (CONTRACT.title_limit + CONTRACT.description_limit) + 4_096
_LABEL_LIMIT = 500
FEEDBACK_BYTES = LISTING_BYTES + 12 * 2 * _LABEL_LIMIT  # with a listing and two labels


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise ValueError("the title is blank")
    return text


Title = Annotated[
    str, Field(min_length=1, max_length=CONTRACT.title_limit), AfterValidator(storable), AfterValidator(_not_blank)
]
Description = Annotated[str, Field(max_length=CONTRACT.description_limit), AfterValidator(storable)]
_Label = Annotated[str, Field(min_length=1, max_length=_LABEL_LIMIT)]


class Listing(RequestBody):
    """A listing to classify: up to 30,000 characters, those of compatibility forms counted as what they stand for."""

    designation: Title
    description: Description | None = None

    @model_validator(mode="after")
    def _refuse_great_expansion(self) -> "Listing":
        if is_longer(self.designation, self.description or "", NORMALISED_LIMIT):
            raise ValueError(f"the normalised text has more than {NORMALISED_LIMIT:,} characters")
        return self


class Batch(RequestBody):
    """Up to 1,000 listings of together 1,000,000 characters. Each is validated on its own: an invalid one does not
    affect the others."""

    listings: Annotated[list[Any], Field(min_length=1, max_length=BATCH_LIMIT)]

    @model_validator(mode="after")
    def _refuse_long_texts(self) -> "Batch":
        entries = (entry.values() for entry in self.listings if isinstance(entry, dict))
        if sum(len(value) for values in entries for value in values if isinstance(value, str)) > BATCH_CHARACTERS:
            raise ValueError(f"the listings have more than {BATCH_CHARACTERS:,} characters together")
        return self


class Correction(RequestBody):
    """The right type of a listing, by label or by code.

    It is about the prediction with that id, or else about the caller's newest prediction of that very text, or else
    about the caller's last prediction. `predicted_label` may be sent with a text, and is not read.
    """

    prediction_id: Annotated[str, Field(min_length=1, max_length=36)] | None = None
    designation: Title | None = None
    description: Description | None = None
    predicted_label: _Label | None = None
    correct_label: _Label | None = None
    correct_code: int | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Correction":
        if (self.correct_label is None) == (self.correct_code is None):
            raise ValueError("either correct_label or correct_code is needed")
        return self

    @model_validator(mode="after")
    def _one_prediction(self) -> "Correction":
        if self.designation is None and not (self.description is None and self.predicted_label is None):
            raise ValueError("description and predicted_label need a designation")
        if self.designation is not None and self.prediction_id is not None:
            raise ValueError("either prediction_id or designation may be given")
        return self


class RankedType(AnswerBody):
    """One of the most likely types."""

    code: int
    label: str
    confidence: float


class Span(AnswerBody):
    """A place in the text as it was sent: start and end in code points."""

    field: Literal["designation", "description"]
    start: int
    end: int


class Reason(AnswerBody):
    """A term that spoke for the predicted type (contribution above 0) or against it.

    `spans`: where it stands, up to 100 places; none where it cannot be located, for example in removed mark-up.
    """

    term: str
    field: str
    contribution: float
    spans: list[Span]


class Explanation(AnswerBody):
    """The terms with the most weight; contributions are in the model's raw score, before it becomes a confidence."""

    supporting: list[Reason]
    opposing: list[Reason]


class Prediction(AnswerBody):
    """The predicted type. `abstained`: a person should check it. Its confidence is below the model's threshold, or it
    has `novelty`, and the model abstains on that.

    `novelty` is there and true where the listing looks like nothing the model has learned from: its type may be one
    that the model lacks. Of usual listings, about two in a hundred have it.
    """

    prediction_id: str
    predicted_class: str
    predicted_code: int
    confidence: float
    abstained: bool
    top_k: list[RankedType]
    language: Literal[*LANGUAGES, UNDETERMINED]  # type: ignore[valid-type]
    model_version: str
    novelty: Literal[True] | None = None
    explanation: Explanation | None = None


class BatchItem(AnswerBody):
    """The result of one listing of a batch: its prediction, or what is wrong with it."""

    index: int
    prediction: Prediction | None = None
    errors: list[dict[str, str]] | None = None


class BatchAnswer(AnswerBody):
    """One item for each listing, in the order of the request."""

    results: list[BatchItem]


class FeedbackAnswer(AnswerBody):
    """The correction as it is stored; `created` is false if it was stored before."""

    feedback_id: int
    prediction_id: str
    correct_code: int
    correct_label: str
    created: bool
    status: Literal["success"] = "success"


class FeedbackItem(AnswerBody):
    """What somebody said on a prediction. `given_by`: the user's name, or the id of one who has none any more; a user
    who is no reviewer sees only the own name."""

    correct_code: int
    correct_label: str | None = None
    role: str
    given_at: datetime
    given_by: str | None = None


class StoredPrediction(AnswerBody):
    """A prediction as it is stored. `served`: the version that gave it is served now, so that it can be explained.
    `novelty` is there and true where the answer had it.

    Codes have no label here if they are of another model than the one that is served.
    """

    prediction_id: str
    created_at: datetime
    designation: str
    description: str | None = None
    predicted_code: int
    predicted_class: str | None = None
    confidence: float
    abstained: bool
    language: str
    model_name: str
    model_version: str
    novelty: Literal[True] | None = None
    served: bool
    feedback: list[FeedbackItem]
    explanation: Explanation | None = None


class StoredPredictions(AnswerBody):
    """A page of the caller's predictions. `next`: what `before` must be for the next page; null: there is none."""

    items: list[StoredPrediction]
    next: str | None


class Erased(AnswerBody):
    """How many predictions were erased, with their feedback."""

    erased: int


class SentenceVectors(AnswerBody):
    """The sentence vectors of a model: their encoder, and what a title of usual length takes, measured at the start."""

    encoder: str
    milliseconds: float


class ModelInfo(AnswerBody):
    """The model that is served. `abstention_threshold` None: a person should check every answer.

    `abstains_on_novelty`: the model also abstains where the answer has `novelty`, whatever its confidence is.
    `sentence_vectors` None: the model has none. `model_version` is the version too, by the name that it has in the
    other answers.
    """

    name: str
    version: str
    model_version: str
    run_id: str
    data_hash: str
    registered_at: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    taxonomy: dict[int, str]
    abstention_threshold: float | None
    abstains_on_novelty: bool
    sentence_vectors: SentenceVectors | None
    card: str


class ServiceHealth(AnswerBody):
    """The service is up, and which model it serves."""

    status: Literal["healthy"] = "healthy"
    model_name: str
    model_version: str
