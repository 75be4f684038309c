"""A request that contradicts itself is refused before anything is read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scoring.request import RequestError, ScoringRequest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep": ("label",)}, "--keep label: the answers have a column of that name already"),
        ({"keep": ("code_2",), "top": 2}, "--keep code_2: the answers have a column of that name already"),
        ({"keep": ("sku", "sku")}, "--keep sku: the answers have a column of that name already"),
        ({"format": "csv"}, "--format belongs to a folder"),
        ({"output": "/in/out.csv"}, "/in/out.csv is in /in: name an output outside of the input"),
        ({"output": "/in"}, "/in is in /in: name an output outside of the input"),
        ({"output": "-", "scheduler": "tcp://a:1"}, "needs files that all machines reach"),
        ({"input": "-", "output": "folder"}, "with - the answers are csv"),
        ({"input": "-", "output": "s3://b/out.csv"}, "with - the answers are csv"),
    ],
)
def test_a_contradiction_is_named(changes: dict[str, object], message: str) -> None:
    request = ScoringRequest.model_validate({"input": "/in", "output": "/out.csv", **changes})
    with pytest.raises(RequestError, match=message):
        request.task(Path("bento"))


def test_the_date_is_filled_in() -> None:
    request = ScoringRequest(input="/in/{date}", output="/out/{date}.csv").of_day(datetime(2026, 1, 2, tzinfo=UTC))
    assert (request.input, request.output) == ("/in/2026-01-02", "/out/2026-01-02.csv")
