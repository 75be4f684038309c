"""Listings are handed out for review: to one person at a time, the right ones, and quickly."""

import threading
from collections.abc import Collection
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event, func, select, text

from ledger.database import open_engine, reading, writing
from ledger.feedback import give_feedback
from ledger.predictions import PredictionRecord, erase_predictions, store_predictions
from ledger.review_figures import read_figures
from ledger.review_queue import Claim, Claimant, HeldError, claim_next, claim_this, is_held_by, release, skip
from ledger.review_state import ReviewRules
from ledger.sampling import is_drawn_twice, is_sampled
from ledger.tables import HoldRow, SkipRow
from tests.ledger.conftest import NOW, prediction

BY_CONFIDENCE = ReviewRules(random_share=0, overlap=0)
AT_RANDOM = ReviewRules(random_share=1, overlap=0)
TWICE = ReviewRules(random_share=0, overlap=1)
USERS = ReviewRules(random_share=0, users=True, quorum=2)
RITA, ROB, ULF, UMA = (
    Claimant("rita", True, "rakuten"), Claimant("rob", True, "rakuten"), Claimant("ulf", False, "rakuten"),
    Claimant("uma", False, "rakuten"),
)  # fmt: skip
LATER = NOW + timedelta(seconds=301)


def sampled(**changes: object) -> PredictionRecord:
    return prediction(id=f"{str(uuid4())[:-1]}0", **changes)


def store(engine: Engine, *records: PredictionRecord) -> None:
    with writing(engine) as connection:
        store_predictions(connection, records)


def claim(
    engine: Engine,
    who: Claimant,
    rules: ReviewRules = BY_CONFIDENCE,
    at: datetime = NOW,
    without: Collection[str] = (),
) -> Claim | None:
    with writing(engine) as connection:
        return claim_next(connection, who, at, rules, without)


def claimed(engine: Engine, who: Claimant, rules: ReviewRules = BY_CONFIDENCE, at: datetime = NOW) -> str | None:
    found = claim(engine, who, rules, at)
    return found.record.id if found else None


def answer(engine: Engine, who: Claimant, record: PredictionRecord, code: int, rules: ReviewRules) -> None:
    with writing(engine) as connection:
        give_feedback(connection, record.id, code, who.user_id, "reviewer" if who.trusted else "user", NOW, rules)


def test_the_least_certain_listing_comes_first_and_abstained_ones_before_others(engine: Engine) -> None:
    wanted = [
        prediction(abstained=True, confidence=0.3),
        prediction(abstained=True, confidence=0.4),
        prediction(confidence=0.2),
        prediction(confidence=0.9),
        sampled(confidence=0.1),
    ]
    store(engine, *reversed(wanted), prediction(model_name="shop"))
    for record in wanted:
        found = claim(engine, RITA)
        assert found is not None
        assert found.record == record
        assert found.drawn == ("random" if is_sampled(record.id) else "uncertain")
        assert found.held_until == NOW + timedelta(seconds=300)
        answer(engine, RITA, record, 10, BY_CONFIDENCE)
    assert claim(engine, RITA) is None


def test_a_share_of_the_listings_is_of_the_random_sample_the_newest_first(engine: Engine) -> None:
    uncertain = prediction(confidence=0.1)
    old, new = sampled(confidence=0.1), sampled(confidence=0.9, created_at=LATER)
    store(engine, uncertain, old, new)
    for record in (new, old, uncertain):  # the other kind when one is empty
        assert claimed(engine, RITA, AT_RANDOM) == record.id
        answer(engine, RITA, record, 10, AT_RANDOM)


def test_two_people_never_hold_the_same_listing_and_one_person_holds_one(engine: Engine) -> None:
    first, second = prediction(confidence=0.1), prediction(confidence=0.2)
    store(engine, first, second)
    assert [claimed(engine, who) for who in (RITA, ROB, RITA, ROB)] == [first.id, second.id, first.id, second.id]
    assert claimed(engine, Claimant("rolf", True, "rakuten")) is None
    with writing(engine) as connection:
        release(connection, first.id, "rob")  # not rob's
        assert is_held_by(connection, first.id, "rita", NOW)
        release(connection, first.id, "rita")
    assert claimed(engine, Claimant("rolf", True, "rakuten")) == first.id


def test_the_figures_count_what_is_held_of_their_model(engine: Engine) -> None:
    store(engine, prediction(), prediction(), prediction(model_name="shop"))
    claimed(engine, RITA)
    claimed(engine, Claimant("sam", True, "shop"))
    with reading(engine) as connection:
        assert read_figures(connection, "rita", "rakuten", NOW).held == 1
        assert read_figures(connection, "rita", "rakuten", LATER).held == 0


def test_a_hold_that_has_expired_is_taken_over(engine: Engine) -> None:
    store(engine, record := prediction())
    assert claimed(engine, RITA) == record.id
    assert claimed(engine, ROB, at=NOW + timedelta(seconds=299)) is None
    assert claimed(engine, ROB, at=LATER) == record.id
    assert claimed(engine, RITA, at=LATER) is None


def test_parallel_claims_get_different_listings(engine: Engine, ledger_url: str) -> None:
    """Each thread is a person of a process of its own: it has connections of its own."""
    people, each = 6, 5
    store(engine, *(prediction(confidence=number / 100) for number in range(people * each)))
    barrier, reviewed = threading.Barrier(people), []

    def review(user: str) -> None:
        own, who = open_engine(ledger_url), Claimant(user, True, "rakuten")
        barrier.wait()
        for _ in range(each):
            found = claim(own, who)
            assert found is not None
            reviewed.append(found.record.id)
            answer(own, who, found.record, 10, BY_CONFIDENCE)
        own.dispose()

    threads = [threading.Thread(target=review, args=[f"user-{number}"]) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(reviewed)) == len(reviewed) == people * each


def test_parallel_claims_of_one_person_get_the_same_listing(engine: Engine, ledger_url: str) -> None:
    store(engine, *(prediction(confidence=number / 100) for number in range(9)))
    barrier, found = threading.Barrier(6), []

    def ask() -> None:
        own = open_engine(ledger_url)
        barrier.wait()
        found.append(claimed(own, RITA))
        own.dispose()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_one_expired_hold_is_taken_over_by_one_of_many(engine: Engine, ledger_url: str) -> None:
    store(engine, record := prediction())
    claim(engine, RITA)
    barrier, found = threading.Barrier(6), []

    def ask(user: str) -> None:
        own = open_engine(ledger_url)
        barrier.wait()
        found.append(claimed(own, Claimant(user, True, "rakuten"), at=LATER))
        own.dispose()

    threads = [threading.Thread(target=ask, args=[f"user-{number}"]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [record.id, *[None] * 5] or sorted(found, key=str) == [*[None] * 5, record.id]


def test_a_skipped_listing_is_not_offered_to_that_person_again(engine: Engine) -> None:
    first, second = prediction(confidence=0.1), prediction(confidence=0.2)
    store(engine, first, second)
    claim(engine, RITA)
    with writing(engine) as connection:
        for _ in range(2):
            skip(connection, first.id, "rita")
        release(connection, first.id, "rita")
    assert [claimed(engine, RITA), claimed(engine, ROB)] == [second.id, first.id]


def test_a_listing_that_is_not_wanted_now_is_free_for_others(engine: Engine) -> None:
    first, second = prediction(confidence=0.1), prediction(confidence=0.2)
    store(engine, first, second)
    claim(engine, RITA)
    found = claim(engine, RITA, without=[first.id])
    assert found is not None
    assert found.record == second
    assert claimed(engine, ROB) == first.id


def test_a_certain_listing_is_held_unless_somebody_else_holds_it(engine: Engine) -> None:
    first, second = prediction(confidence=0.1), prediction(confidence=0.2)
    store(engine, first, second)
    with writing(engine) as connection:
        assert claim_this(connection, RITA, first.id, NOW, BY_CONFIDENCE)
        with pytest.raises(HeldError):
            claim_this(connection, ROB, first.id, NOW, BY_CONFIDENCE)
        assert claim_this(connection, RITA, second.id, NOW, BY_CONFIDENCE)
        assert claim_this(connection, ROB, first.id, NOW, BY_CONFIDENCE), "rita's first hold has ended"
        assert claim_this(connection, RITA, "none", NOW, BY_CONFIDENCE) is None
        give_feedback(connection, first.id, 10, "rob", "reviewer", NOW)
        assert claim_this(connection, RITA, first.id, NOW, BY_CONFIDENCE), "reviewers see all listings"
        release(connection, first.id, "rita")
        assert claim_this(connection, ULF, first.id, NOW, USERS) is None, "users see what is to be reviewed"


def test_a_drawn_share_is_offered_to_a_second_reviewer(engine: Engine) -> None:
    listings = [prediction(confidence=0.1), sampled()]
    store(engine, *listings)
    for record in listings:
        assert claimed(engine, RITA, TWICE) == record.id
        answer(engine, RITA, record, 10, TWICE)
    assert claim(engine, RITA, TWICE) is None
    assert claim(engine, ULF, TWICE) is None
    for record in listings:
        assert claimed(engine, ROB, TWICE) == record.id
        answer(engine, ROB, record, 40, TWICE)
    assert claim(engine, Claimant("rolf", True, "rakuten"), TWICE) is None


def test_the_share_for_two_reviewers_is_drawn_by_the_id_and_apart_from_the_random_sample() -> None:
    ids = [str(uuid4()) for _ in range(20_000)]
    twice = [one for one in ids if is_drawn_twice(one, 0.05)]
    assert 850 < len(twice) < 1_150  # of 1,000 expected: 5 standard deviations away
    assert 25 < sum(map(is_sampled, twice)) < 105  # a sixteenth of these too
    assert not [one for one in ids if is_drawn_twice(one, 0)]
    assert all(is_drawn_twice(one, 1) for one in ids)
    assert not is_drawn_twice("none", 1)


def test_equal_answers_of_enough_users_finish_a_listing_where_users_review(engine: Engine) -> None:
    store(engine, record := prediction())
    assert claimed(engine, ULF, USERS) == record.id
    answer(engine, ULF, record, 10, USERS)
    assert claim(engine, ULF, USERS) is None, "never the same listing twice"
    assert claimed(engine, UMA, USERS) == record.id
    answer(engine, UMA, record, 40, USERS)
    assert claimed(engine, RITA, USERS) == record.id, "their answers differ"
    answer(engine, UMA, record, 10, USERS)  # changes the mind
    with writing(engine) as connection:
        release(connection, record.id, "rita")
    assert claim(engine, RITA, USERS) is None


def test_the_random_sample_is_for_reviewers(engine: Engine) -> None:
    """Otherwise it would lose the listings on which users agree, and no longer be random."""
    store(engine, record := sampled())
    assert claim(engine, ULF, USERS) is None
    with writing(engine) as connection:
        assert claim_this(connection, ULF, record.id, NOW, USERS) is None
    for user in (ULF, UMA):
        answer(engine, user, record, 10, USERS)
    assert claimed(engine, RITA, USERS) == record.id


@pytest.mark.parametrize("role", ["user", "simulator"])
def test_answers_of_users_finish_nothing_where_only_reviewers_review(engine: Engine, role: str) -> None:
    store(engine, record := prediction())
    with writing(engine) as connection:
        for user in ("ulf", "uma", "udo"):
            give_feedback(connection, record.id, 10, user, role, NOW, BY_CONFIDENCE if role == "user" else USERS)
    assert claimed(engine, RITA) == record.id


@pytest.mark.parametrize("whose", ["the listing's owner", "the reviewer"])
def test_erasing_reaches_holds_and_skips(engine: Engine, whose: str) -> None:
    store(engine, record := prediction(user_id="alice"))
    claim(engine, RITA)
    with writing(engine) as connection:
        skip(connection, record.id, "rita")
        erase_predictions(connection, "alice" if whose == "the listing's owner" else "rita", NOW)
    with reading(engine) as connection:
        for table in (HoldRow, SkipRow):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


@pytest.mark.parametrize("rules", [BY_CONFIDENCE, AT_RANDOM])
def test_a_claim_reads_along_the_index_and_sorts_nothing(engine: Engine, rules: ReviewRules) -> None:
    """So it takes as long with a million predictions, and with as many that are reviewed."""
    plans: list[str] = []

    def explain(connection: Connection, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not (statement.startswith("SELECT") and "review_state IS NULL" in statement):
            return
        kind = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        with closing(connection.connection.cursor()) as own:
            own.execute(f"{kind} {statement}", values)
            plans.append("\n".join(str(row) for row in own.fetchall()))

    store(engine, *(prediction(confidence=number / 500) for number in range(200)), *(sampled() for _ in range(50)))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # which reads a table of few rows as a whole
            for method in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
                connection.execute(text(f"SET LOCAL enable_{method} = off"))
        event.listen(engine, "before_cursor_execute", explain)
        found = claim_next(connection, RITA, NOW, rules)
    assert found is not None
    index = "ix_predictions_sampled" if found.drawn == "random" else "ix_predictions_to_review"
    for plan in plans:
        assert index in plan
        assert "SORT" not in plan.upper()
        assert "TEMP B-TREE" not in plan
        assert "SCAN predictions" not in plan
    assert plans
