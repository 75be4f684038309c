"""Predictions that the bare driver stores are the rows that SQLAlchemy would store, on both databases."""

from datetime import timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, insert, select

from ledger.database import reading, writing
from ledger.predictions import RECORD_COLUMNS, PredictionRecord, store_predictions
from ledger.tables import PredictionRow
from tests.ledger.conftest import NOW, prediction

RECORDS = [
    prediction(),
    prediction(designation="NUL \0, half a pair \ud83d, two halves \ud83c\udfca, whole \U0001f3ca", description=None),
    prediction(description="", abstained=True, confidence=1, language="und", predicted_code=2**63 - 1),
    prediction(created_at=NOW.astimezone(timezone(timedelta(hours=5))).replace(microsecond=0), confidence=1 / 3),
]


def rows(engine: Engine, ids: list[str]) -> list[Any]:
    with reading(engine) as connection:
        found = {row.id: row[1:] for row in connection.execute(select(*RECORD_COLUMNS))}
    return [tuple(found[each]) for each in ids]


@pytest.mark.parametrize("records", [RECORDS, RECORDS[:1], RECORDS[1:2], [RECORDS[0]] * 3])
def test_the_rows_are_those_of_sqlalchemy(engine: Engine, records: list[PredictionRecord]) -> None:
    ours, theirs = ([record._replace(id=str(uuid4())) for record in records] for _ in range(2))
    with writing(engine) as connection:
        store_predictions(connection, ours)
        connection.execute(insert(PredictionRow), [record._asdict() for record in theirs])
    assert rows(engine, [each.id for each in ours]) == rows(engine, [each.id for each in theirs])


def test_more_rows_than_fit_into_a_statement_are_stored(engine: Engine) -> None:
    with writing(engine) as connection:
        store_predictions(connection, [prediction() for _ in range(3_200)])
        assert connection.execute(select(func.count()).select_from(PredictionRow)).scalar_one() == 3_200
