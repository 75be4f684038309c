"""A scored catalogue has the answers of the service, and refuses the rows that the service refuses."""

import csv
import io
from pathlib import Path

import pytest
from pydantic import ValidationError

from bento.schemas import Listing
from catalog.synthetic import generate
from scoring.catalogue import open_file
from scoring.columns import Wanted
from scoring.rows import listing_fault
from scoring.scorer import Scorer, Task
from scoring.shards import cut
from tests.bento.conftest import Service
from tests.conftest import ROOT

SAME = ("code", "label", "confidence", "abstained", "novelty", "language", "model_version")
_LONG = "ﷺ" * 1_800  # each has 18 letters in its normalised form


def test_a_scored_row_is_what_the_service_answers(service: Service, model_folder: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "listings.csv"
    table = generate(200, seed=3)
    table.to_csv(catalogue, index=False)
    task = Task(model_folder, ROOT, "csv", 1, (), header=True)
    parts = map(Scorer(task).score, cut([open_file(str(catalogue), Wanted())], 1_000))
    (scored,) = (list(csv.DictReader(io.StringIO(part.answers.decode()))) for part in parts)

    listings = [
        {"designation": row.designation, "description": row.description or ""} for row in table.itertuples(index=False)
    ]
    answer = service.client.post("/predict/batch", json={"listings": listings}, headers=service.as_("ulf"))
    predictions = [item["prediction"] for item in answer.json()["results"]]
    assert [tuple(row[name] for name in SAME) for row in scored] == [
        (
            str(one["predicted_code"]), one["predicted_class"], repr(one["confidence"]), str(one["abstained"]).lower(),
            str(one.get("novelty", False)).lower(), one["language"], one["model_version"],
        )
        for one in predictions
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Lampe", ""), ("", "x"), (" \u200b", ""), ("a\0", ""), ("a", "b\0"), ("x" * 10_000, "y" * 20_000),
        ("x" * 10_001, ""), ("x", "y" * 20_001), ("Lampe", _LONG), ("Lampe", _LONG[:1_000]), ("Lampe", "é" * 9_000),
        ("Lampe", "¼" * 9_995), ("Lampe", "¼" * 9_999), ("Lampe", "¼" * 10_001), ("\u0416", ""), ("\u2013", ""),
    ],
)  # fmt: skip
def test_a_row_is_rejected_exactly_where_the_service_refuses_the_listing(title: str, description: str) -> None:
    try:
        Listing(designation=title, description=description)
        refused = False
    except ValidationError:
        refused = True
    assert (listing_fault(title, description) is not None) == refused
