"""Predictions: the last one, the review queue, erasing."""

from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event, func, select, text

from ledger.audit import Party, record_event
from ledger.database import reading, writing
from ledger.feedback import give_feedback
from ledger.predictions import (
    erase_predictions,
    find_prediction,
    last_prediction,
    last_prediction_of_text,
    store_predictions,
)
from ledger.receipts import ReceiptRecord, find_receipt, store_receipts
from ledger.review_queue import review_queue, sample_queue
from ledger.sampling import is_sampled
from ledger.tables import AuditRow, Base, FeedbackRow, ReceiptRow
from tests.ledger.conftest import NOW, prediction

MINUTE = timedelta(minutes=1)


def count(engine: Engine, table: type[Base]) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_stored_prediction_is_found(engine: Engine) -> None:
    records = [prediction(), prediction(description=None, confidence=1 / 3, abstained=True)]
    with writing(engine) as connection:
        store_predictions(connection, records)
        store_predictions(connection, [])
        assert [find_prediction(connection, record.id) for record in records] == records
        assert find_prediction(connection, "none") is None


@pytest.mark.parametrize("code", [2**31, 2**63 - 1, -(2**63)])
def test_both_databases_store_codes_of_64_bits(engine: Engine, code: int) -> None:
    record = prediction(predicted_code=code)
    with writing(engine) as connection:
        store_predictions(connection, [record])
        assert give_feedback(connection, record.id, code, "alice", "user", NOW).correct_code == code
        assert find_prediction(connection, record.id) == record
        assert review_queue(connection, "rakuten", 1) == [record]
        assert connection.scalars(select(FeedbackRow.correct_code)).all() == [code]


def test_the_last_prediction_is_the_users_own_and_of_this_model(engine: Engine) -> None:
    last = prediction(created_at=NOW + MINUTE)
    others = [
        prediction(),
        prediction(user_id="bob", created_at=NOW + 2 * MINUTE),
        prediction(model_name="shop", created_at=NOW + 2 * MINUTE),
    ]
    with writing(engine) as connection:
        store_predictions(connection, [*others, last])
        assert last_prediction(connection, "alice", "rakuten") == last
        assert last_prediction(connection, "carol", "rakuten") is None


def test_the_last_prediction_of_a_text_is_the_users_own_and_of_this_model(engine: Engine) -> None:
    later, latest = NOW + MINUTE, NOW + 2 * MINUTE
    wanted = prediction(designation="Été\0", created_at=later)
    bare, empty = prediction(description=None), prediction(description="", created_at=later)
    others = [
        prediction(designation="Été\0"),
        prediction(designation="été\0", created_at=latest),
        prediction(designation="Été\0", description=None, created_at=latest),
        prediction(designation="Été\0", user_id="bob", created_at=latest),
        prediction(designation="Été\0", model_name="shop", created_at=latest),
    ]
    with writing(engine) as connection:
        store_predictions(connection, [bare, empty, wanted, *others])

        def found(designation: str, description: str | None) -> str | None:
            record = last_prediction_of_text(connection, "alice", "rakuten", designation, description)
            return record.id if record else None

        assert found("Été\0", wanted.description) == wanted.id
        assert found(bare.designation, None) == found(bare.designation, "") == empty.id
        assert found("Ete", wanted.description) is None
        assert found("Été\0", "ronde, été") is None


def test_the_last_prediction_of_a_text_is_read_along_the_index_and_not_sorted(engine: Engine) -> None:
    """So the search ends at the newest prediction of the text, however many older ones the user has."""
    plans: list[str] = []

    def explain(connection: Connection, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            return
        kind = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        with closing(connection.connection.cursor()) as own:
            own.execute(f"{kind} {statement}", values)
            plans.append("\n".join(str(row) for row in own.fetchall()))

    with writing(engine) as connection:
        store_predictions(connection, [prediction(created_at=NOW + number * MINUTE) for number in range(200)])
        if engine.dialect.name == "postgresql":  # which reads a table of few rows as a whole
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        event.listen(engine, "before_cursor_execute", explain)
        assert last_prediction_of_text(connection, "alice", "rakuten", "Piscine gonflable", "<p>ronde, été</p>")
    assert len(plans) == 1
    assert "ix_predictions_of_user" in plans[0]
    assert "SORT" not in plans[0].upper()
    assert "TEMP B-TREE" not in plans[0]


@pytest.mark.parametrize("role", ["reviewer", "admin"])
def test_the_review_queue_begins_with_the_least_certain_predictions(engine: Engine, role: str) -> None:
    wanted = [
        prediction(abstained=True, confidence=0.1),
        prediction(abstained=True, confidence=0.3),
        prediction(confidence=0.2, created_at=NOW - MINUTE),
        prediction(confidence=0.2),
        prediction(confidence=0.9),
    ]
    reviewed = prediction(abstained=True, confidence=0.0)
    with writing(engine) as connection:
        store_predictions(connection, [*reversed(wanted), reviewed, prediction(model_name="shop")])
        give_feedback(connection, reviewed.id, 10, "rita", role, NOW)
        give_feedback(connection, wanted[0].id, 10, "alice", "user", NOW)
        assert review_queue(connection, "rakuten", 10) == wanted
        for offset in range(6):
            assert review_queue(connection, "rakuten", 2, offset) == wanted[offset : offset + 2]
        assert review_queue(connection, "none", 10) == []


def test_the_random_sample_is_one_in_sixteen_in_both_databases_and_apart_from_the_review_queue(engine: Engine) -> None:
    drawn = [prediction(id=str(uuid4()), confidence=number / 640) for number in range(640)]
    sample = {record.id for record in drawn if is_sampled(record.id)}
    assert 10 <= len(sample) <= 90  # of 40 expected: 5 and 8 standard deviations away
    with writing(engine) as connection:
        store_predictions(connection, drawn)
        assert {record.id for record in sample_queue(connection, "rakuten", 1_000)} == sample
        assert {record.id for record in review_queue(connection, "rakuten", 1_000)} == {r.id for r in drawn} - sample
        give_feedback(connection, min(sample), 10, "rita", "reviewer", NOW)
        give_feedback(connection, max(sample), 10, "alice", "user", NOW)
        assert {record.id for record in sample_queue(connection, "rakuten", 1_000)} == sample - {min(sample)}
        assert sample_queue(connection, "none", 10) == []


def test_the_order_of_the_random_sample_does_not_depend_on_the_confidence(engine: Engine) -> None:
    ids = [f"{str(uuid4())[:-1]}0" for _ in range(3)]
    records = [
        prediction(id=ids[0], confidence=0.9, created_at=NOW),
        prediction(id=ids[1], confidence=0.1, created_at=NOW - MINUTE),
        prediction(id=ids[2], confidence=0.5, abstained=True, created_at=NOW - 2 * MINUTE),
    ]
    with writing(engine) as connection:
        store_predictions(connection, records)
        assert sample_queue(connection, "rakuten", 10) == records
        assert sample_queue(connection, "rakuten", 1, 1) == records[1:2]


def test_erasing_deletes_feedback_and_receipts_of_one_user_only(engine: Engine) -> None:
    theirs, others = prediction(), prediction(user_id="bob")
    receipts = [ReceiptRecord(owner, "key", "print", 200, "answer", NOW) for owner in ("alice", "bob")]
    with writing(engine) as connection:
        store_predictions(connection, [theirs, prediction(), others])
        give_feedback(connection, theirs.id, 10, "rita", "reviewer", NOW)
        give_feedback(connection, others.id, 10, "alice", "user", NOW)
        store_receipts(connection, receipts)
    with writing(engine) as connection:
        assert erase_predictions(connection, "alice", NOW) == 2
        assert erase_predictions(connection, "alice", NOW) == 0
        assert find_prediction(connection, others.id) == others
        assert find_receipt(connection, "alice", "key", "print") is None
    assert (count(engine, FeedbackRow), count(engine, ReceiptRow)) == (1, 1)


def test_a_recorded_event_has_its_detail(engine: Engine) -> None:
    with writing(engine) as connection:
        detail: dict[str, object] = {"changed": ["role"], "role": "admin", "ratio": 0.5}
        record_event(connection, Party("ada", "1"), "user changed", Party("bob", "2"), NOW, **detail)
        columns = (AuditRow.actor, AuditRow.actor_id, AuditRow.event, AuditRow.subject, AuditRow.subject_id)
        found = connection.execute(select(AuditRow.at, *columns, AuditRow.detail)).one()
    assert tuple(found) == (NOW, "ada", "1", "user changed", "bob", "2", detail)
