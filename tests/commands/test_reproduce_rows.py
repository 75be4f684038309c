"""The rows of a version: from the artifact, or again from their source."""

from pathlib import Path

import pandas as pd
import pytest

from catalog.consolidation import content_hash
from catalog.reproduction import consolidate_again
from catalog.source import ListingSource
from commands.reproduce.child import Child
from commands.reproduce.gone import GoneError
from tests.catalog.test_reproduction import a_recipe
from tests.conftest import ROOT
from tests.tracking.test_training_record import a_record
from tracking.isolation import PYTHON
from tracking.training_record import StoredTable, TrainingRecord

LOST = "00000000-0000-0000-0000-000000000000"  # ZenML has no such artifact


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tables of a training are."""
    from ledger.feedback import read_feedback

    folder = tmp_path_factory.mktemp("store")
    feedback = read_feedback(f"sqlite:///{folder / 'ledger.db'}", "shop")
    feedback.to_parquet(folder / "feedback.parquet", index=False)
    consolidate_again(a_recipe(), feedback, None).to_parquet(folder / "listings.parquet", index=False)
    return folder


@pytest.fixture
def record(store: Path) -> TrainingRecord:
    known = {
        "listings": StoredTable(id=LOST, uri=str(store / "listings.parquet")),
        "feedback": StoredTable(id=LOST, uri=str(store / "feedback.parquet")),
        "data_hash": content_hash(pd.read_parquet(store / "listings.parquet")),
        "recipe": a_recipe().model_dump(mode="json"),
    }
    return a_record().model_copy(update=known)


def fetch(record: TrainingRecord, folder: Path) -> str:
    return Child(record, ROOT, PYTHON, folder).fetch_rows()


def without_listings(record: TrainingRecord) -> TrainingRecord:
    return record.model_copy(update={"listings": StoredTable(id=LOST, uri="/gone/table.parquet")})


def test_they_are_those_of_the_artifact(record: TrainingRecord, store: Path, tmp_path: Path) -> None:
    assert fetch(record, tmp_path).startswith("artifact 00000000: ")
    assert (tmp_path / "listings.parquet").read_bytes() == (store / "listings.parquet").read_bytes()


def test_embedded_listings_are_generated_again(record: TrainingRecord, store: Path, tmp_path: Path) -> None:
    found = fetch(without_listings(record), tmp_path)
    assert found.startswith("made again, since its artifact is gone: the embedded synthetic listings (600 of them")
    kept = pd.read_parquet(store / "listings.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "listings.parquet"), kept)


def test_other_rows_than_recorded_are_said(record: TrainingRecord, tmp_path: Path) -> None:
    other = record.model_copy(update={"data_hash": "0123456789abcdef"})
    with pytest.raises(
        GoneError, match=r"^The data has changed \(artifact 0+\): its \d+ rows have .* 0123456789ab is recorded\.$"
    ):
        fetch(other, tmp_path)


def test_files_that_are_gone_are_named(record: TrainingRecord, tmp_path: Path) -> None:
    source = ListingSource(kind="files", directory=str(tmp_path / "no-folder"), sha256="0")
    recipe = a_recipe().model_copy(update={"source": source}).model_dump(mode="json")
    files = without_listings(record).model_copy(update={"source": source, "recipe": recipe})
    with pytest.raises(
        GoneError, match=r"cannot be read at /gone/table\.parquet .*cannot be read again from .*no-folder"
    ):
        fetch(files, tmp_path)


def test_without_the_feedback_the_rows_are_gone(record: TrainingRecord, tmp_path: Path) -> None:
    lost = without_listings(record).model_copy(
        update={"feedback": StoredTable(id=LOST, uri="/gone/feedback.parquet"), "feedback_rows": 12}
    )
    with pytest.raises(GoneError, match=r"because the table of feedback \(12 rows\) is gone too"):
        fetch(lost, tmp_path)
