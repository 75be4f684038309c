"""When a listing is reviewed, and by whom."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from ledger.callers import TRUSTED_ROLES
from ledger.sampling import is_drawn_twice, is_sampled
from ledger.tables import FeedbackRow, PredictionRow

SECOND, DONE = "second", "done"
_MOST_FEEDBACK = 1_000  # on a listing, the newest


@dataclass(frozen=True)
class ReviewRules:
    """Who reviews, and what finishes a listing.

    A reviewer's answer finishes it, except for the share `overlap`, which two reviewers look at. With `users` it is
    also finished by `quorum` users who gave the same answer; not if it is of the random sample, which must not lose the
    listings on which users agree. `random_share`: of the listings that are handed out, those
    of the random sample. `hold_seconds`: how long a listing that was handed out is kept for one person.
    """

    users: bool = False
    quorum: int = 3
    overlap: float = 0.05
    random_share: float = 0.25
    hold_seconds: int = 300


def settle_review(connection: Connection, prediction_id: str, rules: ReviewRules) -> None:
    """Note whether a listing is reviewed, by the feedback on it. The caller has locked the prediction."""
    given = select(FeedbackRow.given_by, FeedbackRow.role, FeedbackRow.correct_code)
    newest = given.where(FeedbackRow.prediction_id == prediction_id).order_by(FeedbackRow.id.desc())
    answers: dict[str, tuple[str, int]] = {}
    for user_id, role, code in connection.execute(newest.limit(_MOST_FEEDBACK)):
        answers.setdefault(user_id, (role, code))
    state = _state(prediction_id, list(answers.values()), rules)
    connection.execute(update(PredictionRow).where(PredictionRow.id == prediction_id).values(review_state=state))


def _state(prediction_id: str, answers: list[tuple[str, int]], rules: ReviewRules) -> str | None:
    reviewers = sum(role in TRUSTED_ROLES for role, _ in answers)
    if reviewers:
        return SECOND if reviewers == 1 and is_drawn_twice(prediction_id, rules.overlap) else DONE
    of_users = Counter(code for role, code in answers if role == "user")
    finished = rules.users and not is_sampled(prediction_id) and max(of_users.values(), default=0) >= rules.quorum
    return DONE if finished else None
