"""How far the review is, and what it shows. Every figure is bounded, so that none takes longer with more rows."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Subquery, distinct, func, select, union_all

from ledger.callers import TRUSTED_ROLES
from ledger.review_state import DONE, SECOND
from ledger.sampling import sampled
from ledger.tables import FeedbackRow, HoldRow, PredictionRow

MOST_LEFT = 10_000  # listings that are counted as left of a kind
MOST_REVIEWED = 100_000
NEWEST = 10_000  # reviewed listings, and own answers, that the other figures are about
_MOST_PAIRS = 20


@dataclass(frozen=True)
class Change:
    """How often reviewers gave one type where the model had given another."""

    from_code: int
    to_code: int
    count: int


@dataclass(frozen=True)
class ReviewFigures:
    """`left` of each kind and `reviewed` are counted up to a limit; the others are about the newest reviewed listings.

    `compared`: listings that two reviewers or more have looked at; `equal`: of these, where all said the same.
    `judged`: listings with a reviewer's answer; `changed`: of these, where the newest one is not the model's.
    """

    uncertain_left: int
    random_left: int
    held: int
    reviewed: int
    reviewed_by_me: int
    compared: int
    equal: int
    judged: int
    changed: int
    changes: list[Change]


def read_figures(connection: Connection, user_id: str, model_name: str, now: datetime) -> ReviewFigures:
    """Return the figures of one model's listings."""
    of_model = PredictionRow.model_name == model_name
    to_review = select(PredictionRow.id).where(of_model, PredictionRow.review_state.is_(None))
    reviewed = select(PredictionRow.id).where(of_model, PredictionRow.review_state.is_not(None))
    held = select(func.count()).select_from(HoldRow).join(PredictionRow, PredictionRow.id == HoldRow.prediction_id)
    own = select(FeedbackRow.prediction_id).where(FeedbackRow.given_by == user_id).order_by(FeedbackRow.id.desc())
    mine = own.limit(NEWEST).subquery()
    by_me = select(func.count(distinct(mine.c.prediction_id))).join(
        PredictionRow, PredictionRow.id == mine.c.prediction_id
    )
    labels: dict[str, dict[str, int]] = defaultdict(dict)  # listing -> reviewer -> newest label
    newest: dict[str, tuple[int, int]] = {}  # listing -> the model's label, the newest of a reviewer
    for prediction_id, predicted, reviewer, label in connection.execute(_reviews(model_name)):
        labels[prediction_id][reviewer] = label
        newest[prediction_id] = predicted, label
    compared = [set(given.values()) for given in labels.values() if len(given) > 1]
    changes = Counter(pair for pair in newest.values() if pair[0] != pair[1])
    return ReviewFigures(
        uncertain_left=_count(connection, to_review.where(~sampled()), MOST_LEFT),
        random_left=_count(connection, to_review.where(sampled()), MOST_LEFT),
        held=connection.execute(held.where(of_model, HoldRow.held_until > now)).scalar_one(),
        reviewed=_count(connection, reviewed, MOST_REVIEWED),
        reviewed_by_me=connection.execute(by_me.where(of_model)).scalar_one(),
        compared=len(compared),
        equal=sum(len(given) == 1 for given in compared),
        judged=len(newest),
        changed=changes.total(),
        changes=[Change(*pair, count) for pair, count in changes.most_common(_MOST_PAIRS)],
    )


def _reviews(model_name: str) -> Select[Any]:
    """Return the query for the answers of reviewers to the newest reviewed listings, the oldest answer first."""

    def newest_of(state: str) -> Subquery:
        columns = PredictionRow.id, PredictionRow.predicted_code, PredictionRow.created_at
        of_state = select(*columns).where(PredictionRow.model_name == model_name, PredictionRow.review_state == state)
        return of_state.order_by(PredictionRow.created_at.desc()).limit(NEWEST).subquery()

    both = union_all(select(newest_of(DONE)), select(newest_of(SECOND))).subquery().c
    listings = select(both.id, both.predicted_code).order_by(both.created_at.desc()).limit(NEWEST).subquery().c
    reviews = select(listings.id, listings.predicted_code, FeedbackRow.given_by, FeedbackRow.correct_code)
    joined = reviews.join(FeedbackRow, FeedbackRow.prediction_id == listings.id)
    return joined.where(FeedbackRow.role.in_(TRUSTED_ROLES)).order_by(FeedbackRow.id)


def _count(connection: Connection, rows: Select[Any], most: int) -> int:
    return connection.execute(select(func.count()).select_from(rows.limit(most).subquery())).scalar_one()
