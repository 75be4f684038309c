"""Where a version comes from, read back from a real MLflow with SQLite, also when parts of it are gone."""

from pathlib import Path

import mlflow
import pytest

from tests.tracking.test_training_record import a_record
from tracking import registry
from tracking.lineage import read_lineage
from tracking.promotions import promote, roll_back
from tracking.registry import PRODUCTION
from tracking.revision import locked_requirements, split_revision
from tracking.training_record import RECORD_FILE

NAME = "shop"


def train(folder: Path, number: int, revision: str = "abc") -> str:
    """Log a training with its evaluation and decision, and register it. Return the id of its run."""
    mlflow.set_experiment(experiment_id=_experiment(folder))
    with mlflow.start_run(run_name=f"training {number}") as run:
        mlflow.set_tags({"data_hash": f"data {number}", "source": "files", "mlflow.source.git.commit": revision})
        mlflow.set_tags({"reason": f"decision {number}", "lock_file": "a.lock", "lock_hash": "123"})
        mlflow.log_params({"candidate": "svm", "seed": 0})
        mlflow.log_text("<p>scores</p>", "evaluation/evaluation.html")
        mlflow.log_dict({"promoted": True}, "decision.json")
    client, run_id = mlflow.MlflowClient(), str(run.info.run_id)
    if number == 1:
        client.create_registered_model(NAME)
    client.create_model_version(NAME, (folder / "model").as_uri(), run_id)
    registry.tag(NAME, str(number), {"evaluation_run": run_id, "bento_run": f"training {number}"})
    before = registry.by_alias(NAME, PRODUCTION)
    promote(NAME, str(number), f"reason {number}", against=before.number if before else None)
    return run_id


def _experiment(folder: Path) -> str:
    found = mlflow.get_experiment_by_name("trainings")
    if found:
        return str(found.experiment_id)
    return mlflow.create_experiment("trainings", artifact_location=(folder / "files").as_uri())


@pytest.fixture
def two_versions(tracker: Path) -> tuple[str, str]:
    """The runs of two versions; the second one replaced the first, whose source had changes."""
    return train(tracker, 1, "abc+changes"), train(tracker, 2)


def test_a_replaced_version_has_its_training_its_decision_and_its_time_in_production(
    two_versions: tuple[str, str],
) -> None:
    found = read_lineage(NAME, "1")
    assert found.training is not None
    training = found.training
    assert (training.run_id, training.data_hash, training.lock_hash) == (two_versions[0], "data 1", "123")
    assert (training.commit, training.clean, training.parameters["candidate"]) == ("abc", False, "svm")
    assert found.decision == "decision 1"
    assert Path(found.pages["evaluation"]).read_text() == "<p>scores</p>"
    assert Path(found.pages["decision"]).name == "decision.json"
    assert [(move.event, move.before, move.after) for move in found.moves] == [
        ("promotion", None, "1"), ("promotion", "1", "2"),
    ]  # fmt: skip
    assert found.moves[0].at < found.moves[1].at
    assert found.missing == []


def test_a_rollback_is_among_the_moves_of_both_versions(two_versions: tuple[str, str]) -> None:
    roll_back(NAME, "worse on toys")
    for number in ("1", "2"):
        last = read_lineage(NAME, number).moves[-1]
        assert (last.event, last.before, last.after, last.reason) == ("rollback", "2", "1", "worse on toys")


def test_a_deleted_training_run_is_said(two_versions: tuple[str, str]) -> None:
    mlflow.MlflowClient().delete_run(two_versions[0])
    found = read_lineage(NAME, "1")
    assert found.missing == [f"The training run {two_versions[0]} is marked as deleted in the tracker."]
    assert found.training is not None


def test_of_a_run_that_the_tracker_never_had_the_rest_is_told(two_versions: tuple[str, str]) -> None:
    registry.tag(NAME, "1", {"evaluation_run": "0" * 32})
    found = read_lineage(NAME, "1")
    assert found.pages == {}
    assert found.missing == [
        "The tracker does not have evaluation/evaluation.html of version 1.",
        "The tracker does not have decision.json of version 1.",
    ]
    assert found.decision == "reason 1"  # of the promotion log


def test_of_a_deleted_version_the_promotion_log_still_tells(two_versions: tuple[str, str]) -> None:
    mlflow.MlflowClient().delete_model_version(NAME, "1")
    found = read_lineage(NAME, "1")
    assert (found.version, found.training, found.decision, len(found.moves)) == (None, None, "reason 1", 2)
    assert "no version 1 of 'shop' any more" in found.missing[0]


def test_the_record_of_what_it_was_made_from_is_read_and_a_damaged_one_is_said(two_versions: tuple[str, str]) -> None:
    assert read_lineage(NAME, "1").record is None
    client = mlflow.MlflowClient()
    client.log_dict(two_versions[0], a_record().model_dump(mode="json"), RECORD_FILE)
    client.log_dict(two_versions[1], {}, RECORD_FILE)
    first, second = read_lineage(NAME, "1"), read_lineage(NAME, "2")
    assert (first.record, first.decided_by, first.missing) == (a_record(), two_versions[0], [])
    assert second.record is None
    assert second.missing[0].startswith("The record of what version 2 was made from is damaged: ")


def test_an_unknown_model_has_no_lineage(tracker: Path) -> None:
    found = read_lineage("another-shop", "1")
    assert (found.version, found.moves) == (None, [])
    assert len(found.missing) == 1


def test_the_decision_is_that_of_the_run_that_packaged_a_version_whose_evaluation_was_cached(
    two_versions: tuple[str, str],
) -> None:
    registry.tag(NAME, "2", {"evaluation_run": two_versions[0]})
    assert read_lineage(NAME, "2").decision == "decision 2"


def test_a_revision_says_whether_the_tree_was_clean() -> None:
    assert split_revision("abc+changes") == ("abc", False)
    assert split_revision("abc") == ("abc", True)


def test_the_libraries_are_known_by_the_digest_of_their_lock() -> None:
    name, digest = locked_requirements()
    assert (name, len(digest)) == ("requirements.lock", 64)
