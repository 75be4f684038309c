"""The desk of one reviewer: the listing in hand, and what was answered.

What a reviewer does is noted here first, and then done at the service. So it is not lost when the service is away or
the session ends meanwhile: it is done when `settle` is called again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ui.services.prediction import Explanation, PredictionService
from ui.services.review import ReviewItem, ReviewService
from ui.services.transport import AWAY, ServiceError

_LATER = (AWAY, 401, 429)  # statuses after which the same request may succeed; so may it after all from 500 on


@dataclass(frozen=True)
class Answer:
    """The type that the reviewer gives to a listing."""

    item: ReviewItem
    code: int


@dataclass(frozen=True)
class Skip:
    """A listing that somebody else should look at."""

    item: ReviewItem


@dataclass(frozen=True)
class Undo:
    """Take back the last answer."""


@dataclass(frozen=True)
class Return:
    """Take a listing in hand again, after its answer was taken back."""

    prediction_id: str


@dataclass(frozen=True)
class Given:
    """An answer as the service stored it."""

    item: ReviewItem
    code: int
    feedback_id: int


@dataclass
class Desk:
    """What one reviewer does in one session.

    Attributes:
        item: the listing in hand; None: none is left.
        explanation: the words that decided, if the service could say them.
        given: the answers of this session, the newest last.
        waiting: what was noted and is not done yet.
        refused: why the service did not do what was noted; it is dropped then.
    """

    item: ReviewItem | None = None
    explanation: Explanation | None = None
    given: list[Given] = field(default_factory=list)
    waiting: Answer | Skip | Undo | Return | None = None
    refused: ServiceError | None = None

    def note(self, what: Answer | Skip | Undo) -> None:
        """Note what the reviewer does. A second press of a key while the first is at work changes nothing."""
        if self.waiting is None and (isinstance(what, Undo) or what.item is self.item):
            self.waiting, self.refused = what, None

    def settle(self, reviews: ReviewService, predictions: PredictionService) -> None:
        """Do what was noted, then see that a listing is in hand.

        Raises `ServiceError` when the service is away, is busy, or wants the password again. Nothing is lost then.
        """
        try:
            while self.waiting:
                self._do(reviews, predictions)
        except ServiceError as error:
            if _may_succeed_later(error):
                raise
            self.waiting, self.item, self.refused = None, None, error
        if self.item is None:
            self._take(reviews, None)

    def _do(self, reviews: ReviewService, predictions: PredictionService) -> None:
        match self.waiting:
            case Answer(item, code):
                stored = predictions.give_feedback(item["prediction_id"], code)
                self.given.append(Given(item, code, stored["feedback_id"]))
                self.waiting, self.item = None, None
            case Skip(item):
                reviews.release(item["prediction_id"], skip=True)
                self.waiting, self.item = None, None
            case Undo() if self.given:
                with _passing_over_404():  # the answer to an earlier request was lost on its way
                    predictions.take_back_feedback(self.given[-1].feedback_id)
                self.waiting = Return(self.given.pop().item["prediction_id"])
            case Return(prediction_id):
                self._take(reviews, prediction_id)  # which gives back the one in hand
                self.waiting = None
            case _:
                self.waiting = None

    def _take(self, reviews: ReviewService, prediction_id: str | None) -> None:
        self.item, self.explanation = reviews.claim(prediction_id), None
        if self.item is not None:
            with suppress(ServiceError):  # a listing that cannot be explained can be reviewed all the same
                self.explanation = reviews.explanation(self.item["prediction_id"])


@contextmanager
def _passing_over_404() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        if error.status != 404:
            raise


def _may_succeed_later(error: ServiceError) -> bool:
    return error.status in _LATER or error.status >= 500
