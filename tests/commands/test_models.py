"""`run.py models`: versions, one version and two side by side, read back from a real MLflow with SQLite."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest

import run
import stacks.active
from catalog.comparison import Decision, PairedDifference
from catalog.evaluation import Evaluation
from commands.models import tables
from commands.models.catalogue import NoVersionError, read_catalogue, read_version
from commands.models.comparison import NotRecordedError, compare
from tests.reports.values import an_evaluation
from tests.tracking.conftest import empty_database, tracker  # noqa: F401
from tracking import registry
from tracking.promotions import promote, roll_back
from tracking.registry import PRODUCTION

NAME = "rakuten"


def worse(evaluation: Evaluation) -> Evaluation:
    """An evaluation in which one type has lost half of its F1, and another has no rows."""
    first, second, third = evaluation.per_type
    types = (first.model_copy(update={"f1": first.f1 / 2}), second, third.model_copy(update={"rows": 0}))
    return evaluation.model_copy(update={"weighted_f1": evaluation.weighted_f1 - 0.1, "per_type": types})


def train(folder: Path, number: int, evaluation: dict[str, Any] | None, decision: Decision | None) -> None:
    """Log a training as the pipeline does, register its version and put it into production."""
    found = mlflow.get_experiment_by_name("trainings")
    uri = (folder / "files").as_uri()
    mlflow.set_experiment(
        experiment_id=found.experiment_id if found else mlflow.create_experiment("trainings", artifact_location=uri)
    )
    with mlflow.start_run(run_name=f"training {number}") as active:
        mlflow.set_tags({"data_hash": f"data {number}", "mlflow.source.git.commit": "abc+changes"})
        mlflow.log_params({"rows_train": 1_000 * number, "vector_share": 0.2 if number == 2 else 0.0})
        if evaluation:
            mlflow.log_dict(evaluation, "evaluation/evaluation.json")
            mlflow.log_text("# Card\n", "model_card.md")
        if decision:
            mlflow.log_dict(decision.model_dump(mode="json"), "decision.json")
            mlflow.set_tag("reason", decision.reason)
    client = mlflow.MlflowClient()
    if number == 1:
        client.create_registered_model(NAME)
    client.create_model_version(NAME, (folder / "model").as_uri(), active.info.run_id)
    registry.tag(NAME, str(number), {"bento_run": f"training {number}", "bento_tag": f"{NAME}:{number}"})
    before = registry.by_alias(NAME, PRODUCTION)
    promote(NAME, str(number), f"reason {number}", against=before.number if before else None)


@pytest.fixture
def two_versions(tracker: Path) -> None:  # noqa: F811
    evaluation = an_evaluation()
    train(tracker, 1, evaluation.model_dump(mode="json"), Decision(promoted=True, reason="the first"))
    measured = PairedDifference(rows=400, difference=-0.1, lower=-0.2, upper=0.0)
    decision = Decision(promoted=True, reason="asked for", champion_version="1", on_test=measured)
    train(tracker, 2, worse(evaluation).model_dump(mode="json"), decision)


@pytest.mark.usefixtures("two_versions")
def test_a_version_with_sentence_vectors_is_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(NAME, read_version(NAME, "2"))
    tables.show(NAME, read_version(NAME, "1"))
    with_vectors, without = capsys.readouterr().out.split("Version", 2)[1:]
    assert "sentence vectors with a share of 0.2" in " ".join(with_vectors.split())
    assert "sentence vectors" not in without


@pytest.mark.usefixtures("two_versions")
def test_the_catalogue_has_the_versions_with_their_scores_and_decisions_newest_first() -> None:
    catalogue = read_catalogue(NAME)
    assert (catalogue.production, catalogue.previous) == ("2", "1")
    newest, first = catalogue.versions
    assert (newest.version, newest.aliases, newest.bento, newest.trained_on) == (
        "2",
        ["production"],
        "rakuten:2",
        2_000,
    )
    assert (newest.commit, newest.clean, newest.data_hash) == ("abc", False, "data 2")
    assert (newest.vector_share, first.vector_share) == (0.2, 0.0)
    evaluation = an_evaluation()
    score = first.scores["weighted_f1"]
    assert (score.value, score.low, score.high) == (evaluation.weighted_f1, *evaluation.weighted_f1_interval)
    assert first.decision is not None
    assert (first.decision.promoted, first.decision.reason, first.decision.difference) == (True, "the first", None)
    assert newest.decision is not None
    assert (newest.decision.difference, newest.decision.low, newest.decision.high) == (-0.1, -0.2, 0.0)


@pytest.mark.usefixtures("two_versions")
def test_the_log_says_who_asked_for_a_rollback() -> None:
    done = roll_back(NAME, "worse on toys", "ada")
    moves = [(move.action, move.left, move.version, move.reason, move.by) for move in read_catalogue(NAME).log]
    assert moves == [
        ("rollback", "2", "1", "worse on toys", "ada"),
        ("promotion", "1", "2", "reason 2", None),
        ("promotion", None, "1", "reason 1", None),
    ]
    assert read_catalogue(NAME).log[0].id == done.entry


@pytest.mark.usefixtures("two_versions")
def test_a_version_has_its_types_its_card_and_its_lineage() -> None:
    version = read_version(NAME, "1")
    assert version.by_type is not None
    assert [(scores.code, scores.support) for scores in version.by_type] == [
        (scores.code, scores.rows) for scores in an_evaluation().per_type
    ]
    assert version.card == "# Card\n"
    assert version.lineage["decision"] == "the first"
    assert [move["event"] for move in version.lineage["moves"]] == ["promotion", "promotion"]


@pytest.mark.usefixtures("two_versions")
def test_two_versions_are_compared_by_type_the_largest_loss_first() -> None:
    compared = compare(NAME, "1", "2")
    assert compared.overall.weighted_f1.difference == pytest.approx(-0.1)
    assert (compared.overall.same_data, compared.overall.rows.first) == (False, 400)
    assert compared.overall.paired is not None
    assert compared.overall.paired.difference == -0.1
    largest, unchanged, gone = compared.types
    assert largest.difference == pytest.approx(-an_evaluation().per_type[0].f1 / 2)
    assert unchanged.difference == 0
    assert (gone.second_f1, gone.difference, gone.support) == (None, None, an_evaluation().per_type[2].rows)
    assert compare(NAME, "2", "1").overall.paired is None, "version 1 was not compared with version 2"


def test_what_an_older_version_has_not_recorded_is_said(
    tracker: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    train(tracker, 1, None, None)
    listed = read_catalogue(NAME)
    assert (listed.versions[0].scores, listed.versions[0].decision) == ({}, None)
    shown = read_version(NAME, "1")
    assert (shown.by_type, shown.card) == (None, None)
    tables.show(NAME, shown)
    assert "Scores by product type: not recorded" in capsys.readouterr().out
    with pytest.raises(NotRecordedError, match="the evaluation of version 1 is not recorded"):
        compare(NAME, "1", "1")


def test_the_evaluation_of_an_earlier_release_which_lacks_what_is_new_is_read(tracker: Path) -> None:  # noqa: F811
    kept = {"rows", "weighted_f1", "weighted_f1_interval", "macro_f1", "macro_f1_interval", "accuracy"}
    evaluation = an_evaluation().model_dump(mode="json", include=kept)
    scores = {"code": 1, "label": "Pools", "rows": 9, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    train(tracker, 1, evaluation | {"per_type": [scores]}, None)
    (version,) = read_catalogue(NAME).versions
    assert version.scores["macro_f1"].value == an_evaluation().macro_f1


@pytest.mark.usefixtures("two_versions")
def test_a_version_that_is_none_is_an_error_that_names_those_that_are() -> None:
    for number in ("3", "x", "-1", "9" * 20, "٢"):
        with pytest.raises(NoVersionError, match=r"no version '.*'; its versions: 2, 1"):
            read_version(NAME, number)


@pytest.mark.usefixtures("tracker")
def test_a_model_without_versions_is_an_empty_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    empty = read_catalogue("another")
    assert (empty.versions, empty.log, empty.production) == ([], [], None)
    tables.show("another", empty)
    assert "The registry has no version of 'another' yet" in capsys.readouterr().out


@pytest.mark.usefixtures("two_versions")
def test_the_command_prints_tables_and_writes_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stacks.active, "connect_tracker", lambda **_: "")
    file = tmp_path / "models.json"
    assert run.main(["models", "--json", str(file)]) == 0
    assert "promotion: 1 → 2" in capsys.readouterr().out
    assert json.loads(file.read_text())["production"] == "2"
    assert run.main(["models", "show", "2"]) == 0
    assert "Scores by product type" in capsys.readouterr().out
    assert run.main(["models", "compare", "1", "2"]) == 0
    assert "On the same rows the promotion gate measured -0.100 (-0.200 to +0.000)" in capsys.readouterr().out
    assert run.main(["models", "show"]) == 1
    assert "'models show' takes 1 version; see --help" in capsys.readouterr().err


@pytest.mark.usefixtures("two_versions")
def test_a_rollback_tells_programs_what_was_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stacks.active, "connect_tracker", lambda **_: "")
    file = tmp_path / "moved.json"
    assert run.main(["rollback", "--reason", "worse", "--by", "ada", "--json", str(file)]) == 0
    moved = json.loads(file.read_text())
    last = read_catalogue(NAME).log[0]
    assert moved == {"left": "2", "now": "1", "skipped": [], "entry": last.id}
    assert (last.by, last.reason) == ("ada", "worse")
