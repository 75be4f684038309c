"""A single request stored directly leaves the same rows as a batch, and is accepted or refused as a batch is."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from ledger.batch import BatchStore, StoreRequest, StoreResult
from ledger.callers import Caller, RevokedError
from ledger.database import migrate, open_engine, writing
from ledger.direct_insert import DirectInsert
from ledger.predictions import PredictionRecord
from ledger.receipts import ReceiptRecord
from ledger.tables import PredictionRow, UserRow
from ledger.users import change_user, create_user, delete_user
from tests.ledger.conftest import NOW, prediction

ALICE = Caller("id-of-alice", "alice", "user", 1)
NAMES = PredictionRecord._fields


@dataclass
class Way:
    """A ledger in SQLite that is written in one of the two ways."""

    engine: Engine
    store: DirectInsert | BatchStore

    def accepts(self, request: StoreRequest) -> bool:
        if isinstance(self.store, DirectInsert):
            return self.store.store(request)
        (result,) = self.store.store([request])
        return result is None

    def rows(self) -> list[Any]:
        """All columns of all predictions as SQLite stores them, with their types."""
        columns = ", ".join(f"{name}, typeof({name})" for name in NAMES)
        with closing(sqlite3.connect(str(self.engine.url.database))) as connection:
            return connection.execute(f"SELECT {columns} FROM predictions ORDER BY rowid").fetchall()


@pytest.fixture(scope="module")
def ways() -> Iterator[tuple[Way, Way]]:
    """The direct way and the batch, each with a ledger of its own. `alice` is a user, `carol` was deleted."""

    @contextmanager
    def opened(folder: Path, kind: type[DirectInsert] | type[BatchStore]) -> Iterator[Way]:
        url = f"sqlite:///{folder / kind.__name__}.db"
        migrate(url)
        engine = open_engine(url)
        with writing(engine) as connection:
            for name in ("alice", "carol"):
                user = create_user(connection, name, "hash", "user", NOW)
                connection.execute(update(UserRow).where(UserRow.id == user.id).values(id=f"id-of-{name}"))
            change_user(connection, "id-of-alice", now=NOW)
            delete_user(connection, "id-of-carol", NOW)
        store = kind(engine, check_callers=True)
        yield Way(engine, store)
        store.close()
        engine.dispose()

    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), DirectInsert) as direct,
        opened(Path(folder), BatchStore) as batch,
    ):
        yield direct, batch


def request(*records: PredictionRecord, caller: Caller = ALICE) -> StoreRequest:
    return StoreRequest(caller, records, None)


texts = st.text(st.characters(exclude_categories=()), max_size=30)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
records = st.builds(
    PredictionRecord,
    id=st.uuids(version=4).map(lambda _: str(uuid4())),  # a new one each time
    user_id=texts,
    designation=texts,
    description=st.none() | texts,
    predicted_code=st.integers(-(2**63), 2**63 - 1),
    confidence=st.floats(0, 1) | st.sampled_from([0, 1]),
    abstained=st.booleans(),
    novelty=st.booleans(),
    language=st.sampled_from(["fr", "en", "de", "und"]),
    model_name=texts,
    model_version=texts,
    created_at=st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1), timezones=zones),
)  # fmt: skip


@given(given_records=st.lists(records, max_size=5))
@example(
    [
        prediction(designation="NUL \0, half a pair \ud83d, whole \U0001f3ca", description=None, confidence=1),
        prediction(description="", abstained=True, novelty=True, created_at=NOW.replace(microsecond=0)),
    ]
)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_both_ways_store_equal_rows(ways: tuple[Way, Way], given_records: list[PredictionRecord]) -> None:
    direct, batch = ways
    before = len(direct.rows())
    assert direct.accepts(request(*given_records))
    assert batch.accepts(request(*given_records))
    rows = direct.rows()
    assert rows == batch.rows()
    assert len(rows) == before + len(given_records)


def test_the_rows_that_are_compared_have_all_columns() -> None:
    assert {*NAMES, "review_state", "withdrawn_at"} == set(PredictionRow.__table__.columns.keys())


@pytest.mark.parametrize(
    "caller",
    [
        ALICE,
        replace(ALICE, generation=0),
        replace(ALICE, role="admin"),
        replace(ALICE, user_id="nobody"),
        replace(ALICE, user_id="alice"),
        replace(ALICE, user_id="id-of-carol"),
        replace(ALICE, user_id="\0"),
    ],
)
def test_both_ways_accept_the_same_callers(ways: tuple[Way, Way], caller: Caller) -> None:
    before = [way.rows() for way in ways]
    accepted = [way.accepts(request(prediction(), caller=caller)) for way in ways]
    assert accepted == [caller is ALICE] * 2
    assert [len(way.rows()) - len(rows) for way, rows in zip(ways, before, strict=True)] == [caller is ALICE] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": NOW.replace(tzinfo=None)},
        {"predicted_code": 2**63},
        {"designation": None},
        {"confidence": None},
    ],
)
def test_both_ways_refuse_the_same_values_and_store_nothing_of_the_request(
    ways: tuple[Way, Way], change: dict[str, Any]
) -> None:
    before = [way.rows() for way in ways]
    wrong = request(prediction(), prediction(**change))
    assert [way.accepts(wrong) for way in ways] == [False, False]
    assert [way.rows() for way in ways] == before
    assert [way.accepts(request(prediction())) for way in ways] == [True, True]


def test_both_ways_refuse_a_prediction_that_is_stored_already(ways: tuple[Way, Way]) -> None:
    twice = prediction()
    for way in ways:
        assert way.accepts(request(twice))
        before = way.rows()
        assert not way.accepts(request(prediction(), twice))
        assert way.rows() == before


def test_requests_with_a_receipt_or_many_records_are_left_to_the_batch(ways: tuple[Way, Way]) -> None:
    direct, _ = ways
    before = direct.rows()
    receipt = ReceiptRecord("alice", "key", "print", 200, "answer", NOW)
    assert not direct.accepts(StoreRequest(ALICE, [prediction()], receipt))
    assert not direct.accepts(request(*(prediction() for _ in range(6))))
    assert direct.rows() == before


def test_while_another_connection_writes_the_direct_way_gives_up_at_once(ways: tuple[Way, Way]) -> None:
    direct, _ = ways
    before = direct.rows()
    with writing(direct.engine):
        started = datetime.now(UTC)
        assert not direct.accepts(request(prediction()))
        assert datetime.now(UTC) - started < timedelta(seconds=2)
    assert direct.rows() == before
    assert direct.accepts(request(prediction()))


def test_a_batch_says_why_a_caller_is_refused(ways: tuple[Way, Way]) -> None:
    _, batch = ways
    assert isinstance(batch.store, BatchStore)
    results: list[StoreResult] = batch.store.store([request(prediction(), caller=replace(ALICE, user_id="nobody"))])
    assert [type(result) for result in results] == [RevokedError]
