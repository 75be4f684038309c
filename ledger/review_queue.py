"""What is to be reviewed: listed for programs, and handed out to people, one listing to one person at a time."""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, Subquery, delete, exists, or_, select, text, union_all

from ledger.database import upsert
from ledger.predictions import RECORD_COLUMNS, PredictionRecord
from ledger.review_state import SECOND, ReviewRules
from ledger.sampling import is_sampled, sampled
from ledger.tables import FeedbackRow, HoldRow, PredictionRow, SkipRow

Drawn = Literal["uncertain", "random"]
_SECOND_LOOK = 100  # of the listings that wait for a second reviewer, the newest that are looked at
_to_review = PredictionRow.review_state.is_(None)


class HeldError(RuntimeError):
    """Somebody else reviews that listing now."""


@dataclass(frozen=True)
class Claim:
    """A listing that is held for one person. `drawn`: from the random sample, or by its confidence."""

    record: PredictionRecord
    drawn: Drawn
    held_until: datetime


@dataclass(frozen=True)
class Claimant:
    """Who wants a listing to review, of which model. `trusted`: is a reviewer."""

    user_id: str
    trusted: bool
    model_name: str


def review_queue(connection: Connection, model_name: str, limit: int, offset: int = 0) -> list[PredictionRecord]:
    """Return predictions that nobody has reviewed: abstained ones first, then by confidence, then by age.

    Those of the random sample are left out: they are in `sample_queue`. Abstained and other predictions are read along
    their index, each only as far as needed: the time does not depend on the number of predictions.
    """

    def half(abstained: bool) -> Subquery:
        order = (PredictionRow.confidence, PredictionRow.created_at, PredictionRow.id)
        return _uncertain(model_name, abstained).order_by(*order).limit(limit + offset).subquery()

    both = union_all(select(half(True)), select(half(False))).subquery().c
    order = (both.abstained.desc(), both.confidence, both.created_at, both.id)
    rows = connection.execute(select(*both).order_by(*order).limit(limit).offset(offset))
    return [PredictionRecord(*row) for row in rows]


def sample_queue(connection: Connection, model_name: str, limit: int, offset: int = 0) -> list[PredictionRecord]:
    """Return the predictions of the random sample that nobody has reviewed, the newest first.

    Neither which they are nor their order depends on the confidence.
    """
    newest = _random(model_name).order_by(PredictionRow.created_at.desc(), PredictionRow.id)
    return [PredictionRecord(*row) for row in connection.execute(newest.limit(limit).offset(offset))]


def claim_next(
    connection: Connection, who: Claimant, now: datetime, rules: ReviewRules, without: Collection[str] = ()
) -> Claim | None:
    """Hold the next listing for somebody and return it; None: there is none. The one that is held already comes first.

    Nobody gets a listing that somebody else holds, or that the same person has skipped or answered before. `without`:
    ids that are not wanted now. Any number of processes may claim at once.
    """
    _one_claim_at_a_time(connection, who)
    if without:
        connection.execute(delete(HoldRow).where(HoldRow.held_by == who.user_id, HoldRow.prediction_id.in_(without)))
    held = select(*RECORD_COLUMNS).join(HoldRow, HoldRow.prediction_id == PredictionRow.id)
    mine = held.where(
        HoldRow.held_by == who.user_id, HoldRow.held_until > now, PredictionRow.model_name == who.model_name
    )
    row = connection.execute(mine.order_by(HoldRow.held_until.desc()).limit(1)).first()
    if row and (claim := _held(connection, PredictionRecord(*row), who, now, rules)):
        return claim
    refused = set(without)
    for query in _offers(who, random.random() < rules.random_share):
        while row := connection.execute(_available(query, who, now, refused)).first():
            record = PredictionRecord(*row)
            if claim := _held(connection, record, who, now, rules):
                return claim
            refused.add(record.id)  # another process was faster
    return None


def claim_this(
    connection: Connection, who: Claimant, prediction_id: str, now: datetime, rules: ReviewRules
) -> Claim | None:
    """Hold one certain listing for somebody and return it; what the same person held before is free again.

    None: there is no such listing, or the person may not review it: users review only what is to be reviewed and is
    not of the random sample, and what they have not answered. Raises `HeldError`.
    """
    _one_claim_at_a_time(connection, who)
    this = select(*RECORD_COLUMNS).where(PredictionRow.id == prediction_id, PredictionRow.model_name == who.model_name)
    if not who.trusted:
        this = this.where(_to_review, ~sampled(), ~_answered_by(who))
    row = connection.execute(this.with_for_update()).first()
    if row is None:
        return None
    claim = _held(connection, PredictionRecord(*row), who, now, rules)
    if claim is None:
        raise HeldError("somebody else reviews this listing now")
    others = delete(HoldRow).where(HoldRow.held_by == who.user_id, HoldRow.prediction_id != prediction_id)
    connection.execute(others.where(HoldRow.held_until > now))
    return claim


def is_held_by(connection: Connection, prediction_id: str, user_id: str, now: datetime) -> bool:
    """Return whether somebody holds a listing now."""
    held = select(1).where(HoldRow.prediction_id == prediction_id, HoldRow.held_by == user_id, HoldRow.held_until > now)
    return connection.execute(held).first() is not None


def release(connection: Connection, prediction_id: str, user_id: str) -> None:
    """End somebody's hold of a listing, if there is one."""
    connection.execute(delete(HoldRow).where(HoldRow.prediction_id == prediction_id, HoldRow.held_by == user_id))


def skip(connection: Connection, prediction_id: str, user_id: str) -> None:
    """Never offer a listing to somebody again. There must be a prediction with that id."""
    row = upsert(connection, SkipRow).values(user_id=user_id, prediction_id=prediction_id)
    connection.execute(row.on_conflict_do_nothing())


def _held(
    connection: Connection, record: PredictionRecord, who: Claimant, now: datetime, rules: ReviewRules
) -> Claim | None:
    """Hold a listing, unless somebody else holds it; a hold that has expired is taken over in the same statement."""
    until = now + timedelta(seconds=rules.hold_seconds)
    row = upsert(connection, HoldRow).values(prediction_id=record.id, held_by=who.user_id, held_until=until)
    row = row.on_conflict_do_update(
        index_elements=["prediction_id"],
        set_={"held_by": who.user_id, "held_until": until},
        where=or_(HoldRow.held_until <= now, HoldRow.held_by == who.user_id),
    )
    if not connection.execute(row).rowcount:
        return None
    return Claim(record, "random" if is_sampled(record.id) else "uncertain", until)


def _offers(who: Claimant, random_first: bool) -> Iterator[Select[Any]]:
    """Yield queries for the next listing, in the order in which they are asked. The random sample is for reviewers."""
    of_sample = [_random(who.model_name).order_by(PredictionRow.created_at.desc())]
    by_confidence = [
        _uncertain(who.model_name, abstained).order_by(PredictionRow.confidence) for abstained in (True, False)
    ]
    if not who.trusted:
        yield from by_confidence
        return
    of_sample.insert(0, _wants_second(who.model_name).where(sampled()))
    by_confidence.insert(0, _wants_second(who.model_name).where(~sampled()))
    yield from of_sample + by_confidence if random_first else by_confidence + of_sample


def _uncertain(model_name: str, abstained: bool) -> Select[Any]:
    return select(*RECORD_COLUMNS).where(
        PredictionRow.model_name == model_name, PredictionRow.abstained == abstained, _to_review, ~sampled()
    )


def _random(model_name: str) -> Select[Any]:
    return select(*RECORD_COLUMNS).where(PredictionRow.model_name == model_name, _to_review, sampled())


def _wants_second(model_name: str) -> Select[Any]:
    wanting = PredictionRow.model_name == model_name, PredictionRow.review_state == SECOND
    newest = select(PredictionRow.id).where(*wanting).order_by(PredictionRow.created_at.desc()).limit(_SECOND_LOOK)
    return select(*RECORD_COLUMNS).where(PredictionRow.id.in_(newest.scalar_subquery()), *wanting)


def _available(offer: Select[Any], who: Claimant, now: datetime, without: Collection[str]) -> Select[Any]:
    """Return the query for the first listing of an offer that this person may have.

    PostgreSQL leaves out rows that another transaction has locked, to claim them or to give feedback. In SQLite there
    is one transaction that writes at a time.
    """
    of_others = exists().where(
        HoldRow.prediction_id == PredictionRow.id, HoldRow.held_until > now, HoldRow.held_by != who.user_id
    )
    skipped = exists().where(SkipRow.user_id == who.user_id, SkipRow.prediction_id == PredictionRow.id)
    free = offer.where(~of_others, ~skipped, ~_answered_by(who))
    if without:
        free = free.where(PredictionRow.id.not_in(without))
    return free.limit(1).with_for_update(skip_locked=True, of=PredictionRow)


def _answered_by(who: Claimant) -> ColumnElement[bool]:
    return exists().where(FeedbackRow.prediction_id == PredictionRow.id, FeedbackRow.given_by == who.user_id)


def _one_claim_at_a_time(connection: Connection, who: Claimant) -> None:
    """Let a second claim of the same person wait for the first one, so that it returns the same listing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:user, 2))"), {"user": who.user_id})
