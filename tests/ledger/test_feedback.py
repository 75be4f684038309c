"""Feedback: given, repeated, changed, and read back for training."""

import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from ledger.database import LedgerError, reading, writing
from ledger.feedback import COLUMNS, Correction, UnknownPredictionError, give_feedback, read_feedback
from ledger.predictions import store_predictions
from tests.ledger.conftest import NOW, add_user, prediction


def test_users_may_change_their_feedback_and_change_it_back(engine: Engine) -> None:
    record = prediction()
    with writing(engine) as connection:
        store_predictions(connection, [record])
        given = [
            give_feedback(connection, record.id, code, "alice", "user", NOW + timedelta(minutes=minute))
            for minute, code in enumerate([10, 10, 40, 10, 10])
        ]
        other = give_feedback(connection, record.id, 10, "bob", "user", NOW)
    assert [(correction.correct_code, correction.created) for correction in given] == [
        (10, True), (10, False), (40, True), (10, True), (10, False),
    ]  # fmt: skip
    assert given[1] == Correction(given[0].id, record.id, 10, created=False)
    assert given[4].id == given[3].id
    assert other.created


def test_feedback_on_an_unknown_prediction_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownPredictionError), writing(engine) as connection:
        give_feedback(connection, "none", 10, "alice", "user", NOW)


def test_the_same_feedback_at_the_same_time_is_stored_once(engine: Engine) -> None:
    record = prediction()
    with writing(engine) as connection:
        store_predictions(connection, [record])
    barrier = threading.Barrier(8)
    created: list[bool] = []

    def give() -> None:
        barrier.wait()
        with writing(engine) as connection:
            created.append(give_feedback(connection, record.id, 10, "alice", "user", NOW).created)

    threads = [threading.Thread(target=give) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created) == [False] * 7 + [True]


def test_feedback_is_read_with_its_listing_oldest_first(engine: Engine, ledger_url: str) -> None:
    drawn = f"{str(uuid4())[:-1]}0"
    first, second, other = (
        prediction(id=drawn, designation="Été"),
        prediction(description=None),
        prediction(model_name="shop"),
    )
    with writing(engine) as connection:
        store_predictions(connection, [first, second, other])
        give_feedback(connection, second.id, 40, "rita", "reviewer", NOW + timedelta(days=1))
        give_feedback(connection, first.id, 10, "alice", "user", NOW)
        give_feedback(connection, other.id, 60, "alice", "user", NOW)
    frame = read_feedback(ledger_url, "rakuten")
    assert list(frame.columns) == COLUMNS
    assert frame["prediction_id"].tolist() == [first.id, second.id]
    assert frame["designation"].tolist() == ["Été", "Piscine gonflable"]
    assert frame["prdtypecode"].tolist() == [10, 40]
    assert frame["given_by"].tolist() == ["alice", "rita"]
    assert frame["trusted"].tolist() == [False, True]
    assert frame["sampled"].tolist() == [True, False]
    assert pd.isna(frame["description"][1])
    assert frame["given_at"].tolist() == [NOW, NOW + timedelta(days=1)]
    assert read_feedback(ledger_url, "none").empty
    assert read_feedback(ledger_url, "none")["trusted"].dtype == bool


def test_what_a_simulator_sent_or_said_is_marked(engine: Engine, ledger_url: str) -> None:
    simulator = add_user(engine, "simulator-1", "simulator").user_id
    made_up, real = prediction(simulator), prediction("alice")
    with writing(engine) as connection:
        store_predictions(connection, [made_up, real])
        for record, name, role in (
            (made_up, simulator, "simulator"),
            (made_up, "rita", "reviewer"),
            (real, "simulator-2", "simulator"),
            (real, "rita", "reviewer"),
        ):
            give_feedback(connection, record.id, 10, name, role, NOW)
    frame = read_feedback(ledger_url, "rakuten")
    assert frame["simulated"].tolist() == [True, True, True, False]
    assert frame["trusted"].tolist() == [False, True, False, True]


def test_a_ledger_that_does_not_exist_has_no_feedback(empty_url: str, backend: str, tmp_path: Path) -> None:
    frame = read_feedback(empty_url, "rakuten")
    assert frame.columns.tolist() == COLUMNS
    assert frame["trusted"].dtype == bool
    assert backend != "sqlite" or not list(tmp_path.iterdir())


def test_a_ledger_that_cannot_be_read_is_an_error(engine: Engine, ledger_url: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE predictions RENAME TO elsewhere"))
    with pytest.raises(LedgerError, match="cannot be read"):
        read_feedback(ledger_url, "rakuten")
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM elsewhere")).scalar() == 0
