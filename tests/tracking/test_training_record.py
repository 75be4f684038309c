"""The record of a training, in a real MLflow with SQLite."""

from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest

from catalog.reproduction import Recipe
from catalog.source import ListingSource
from catalog.taxonomy import EMBEDDED
from catalog.training_parameters import TrainingParameters
from tracking.registry import RegisteredVersion
from tracking.revision import model_code
from tracking.training_record import RECORD_FILE, RecordError, StoredTable, TrainingRecord, read_record

TABLE = StoredTable(id="1", uri="/store/table.parquet")
CHAMPION = RegisteredVersion(number="2", run_id="run", source="", tags={})


def a_record() -> TrainingRecord:
    block = {"field": "title", "kind": "words", "shortest": 1, "longest": 1}
    recipe = Recipe(
        parameters=TrainingParameters.model_validate({"candidates": {"words": {"blocks": [block]}}}),
        taxonomy=EMBEDDED, source=ListingSource(kind="embedded", size=600, seed=0), new_baseline=False,
        champion_version="2", decided_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return TrainingRecord.of(recipe, CHAMPION, "hash", TABLE, TABLE, 3)


@pytest.fixture
def run_id(tracker: Path) -> str:
    experiment = mlflow.create_experiment("trainings", artifact_location=(tracker / "files").as_uri())
    return str(mlflow.MlflowClient().create_run(experiment).info.run_id)


def test_it_is_read_as_it_was_written(run_id: str) -> None:
    mlflow.MlflowClient().log_dict(run_id, a_record().model_dump(mode="json"), RECORD_FILE)
    assert read_record(run_id) == a_record()


def test_it_says_commit_code_libraries_and_champion() -> None:
    record = a_record()
    assert record.lock_file == "requirements.lock"
    assert record.code == model_code()
    assert record.champion is not None
    assert (record.champion.number, record.champion.run_id) == ("2", "run")
    assert record.recipe["parameters"]["promotion"]["margin"] == 0.01


def test_a_training_of_an_earlier_release_has_none(run_id: str) -> None:
    assert read_record(run_id) is None
    assert read_record("0" * 32) is None


@pytest.mark.parametrize("content", ['{"commit": 3}', '{"commit"', ""])
def test_a_damaged_one_is_an_error(run_id: str, content: str) -> None:
    mlflow.MlflowClient().log_text(run_id, content, RECORD_FILE)
    with pytest.raises(RecordError, match=rf"^{RECORD_FILE} in the run {run_id} cannot be read"):
        read_record(run_id)


def test_a_python_that_is_no_version_is_damage(run_id: str) -> None:
    record = a_record().model_dump(mode="json") | {"python": "/tmp/a-program"}
    mlflow.MlflowClient().log_dict(run_id, record, RECORD_FILE)
    with pytest.raises(RecordError):
        read_record(run_id)


def test_the_digest_of_the_code_follows_every_file_of_the_catalog(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "text.py").write_text("a = 1\n")
    first = model_code(tmp_path)
    (tmp_path / "README.md").write_text("changed")
    (tmp_path / "catalog" / ".DS_Store").write_bytes(b"what a file manager leaves")
    assert model_code(tmp_path) == first
    (tmp_path / "catalog" / "text.py").write_text("a = 2\n")
    assert model_code(tmp_path) != first
