"""A version is made again from a recipe and its rows, with the files of one folder."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from catalog.audit_rules import AuditRules
from catalog.candidates import fit_candidates
from catalog.comparison import Decision
from catalog.consolidation import content_hash
from catalog.label_audit import audit_labels, without_errors
from catalog.reference import build_reference_window
from catalog.reproduction import Recipe, Result, Rows, consolidate_again, run, train_again
from catalog.source import ListingSource
from catalog.taxonomy import EMBEDDED
from catalog.training_parameters import TrainingParameters
from ledger.feedback import read_feedback

WORDS = {"field": "title", "kind": "words", "shortest": 1, "longest": 1, "minimum_listings": 1}


def a_recipe(champion: str | None = None, *, new_baseline: bool = False) -> Recipe:
    return Recipe(
        parameters=TrainingParameters.model_validate({"size": 600, "candidates": {"words": {"blocks": [WORDS]}}}),
        taxonomy=EMBEDDED,
        source=ListingSource(kind="embedded", size=600, seed=0),
        new_baseline=new_baseline,
        champion_version=champion,
        decided_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return read_feedback(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}", EMBEDDED.name)


@pytest.fixture(scope="module")
def listings(feedback: pd.DataFrame) -> pd.DataFrame:
    return consolidate_again(a_recipe(), feedback, None)


def test_the_answers_are_those_of_the_training(listings: pd.DataFrame) -> None:
    recipe = a_recipe()
    chosen = fit_candidates(listings, recipe.parameters.candidates, recipe.parameters.seed)
    window, result = train_again(recipe, listings, None)
    pd.testing.assert_frame_equal(window, build_reference_window(listings, chosen.classifier))
    assert result.chosen == "words"
    assert result.decision is not None
    assert result.decision.reason.startswith("there was no version in production")


def test_labels_that_the_training_corrected_are_corrected_again(listings: pd.DataFrame) -> None:
    rules = AuditRules(in_training="correct", folds=2, sure=0.1)
    parameters = a_recipe().parameters.model_copy(update={"audit": rules})
    to_train = without_errors(listings, audit_labels(listings, rules, parameters.seed), rules)
    assert (to_train["prdtypecode"] != listings["prdtypecode"]).any()
    chosen = fit_candidates(to_train, parameters.candidates, parameters.seed)
    window, _ = train_again(a_recipe().model_copy(update={"parameters": parameters}), listings, None)
    pd.testing.assert_frame_equal(window, build_reference_window(listings, chosen.classifier))


def test_the_decision_is_made_with_the_answers_of_the_champion(listings: pd.DataFrame) -> None:
    wrong = listings.assign(predicted_code=10)[["text_key", "predicted_code"]]
    _, result = train_again(a_recipe("7"), listings, wrong.sample(frac=1, random_state=0))
    assert result.decision is not None
    assert result.decision.champion_version == "7"
    assert "of version 7 on the same" in result.decision.reason
    _, unknown = train_again(a_recipe("7"), listings, None)
    assert unknown.decision is None
    _, baseline = train_again(a_recipe("7", new_baseline=True), listings, None)
    assert baseline.decision is not None
    assert baseline.decision.reason.startswith("a new baseline was asked for")


def test_a_folder_has_what_goes_in_and_what_comes_out(
    listings: pd.DataFrame, feedback: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "recipe.json").write_text(a_recipe().model_dump_json())
    feedback.to_parquet(tmp_path / "feedback.parquet")
    run("rows", str(tmp_path))
    rows = Rows.model_validate_json((tmp_path / "rows.json").read_text())
    assert rows == Rows(rows=len(listings), data_hash=content_hash(listings))
    run("train", str(tmp_path))
    answers = pd.read_parquet(tmp_path / "answers.parquet")
    assert (answers["split"] == "test").sum() == (listings["split"] == "test").sum()
    result = Result.model_validate_json((tmp_path / "result.json").read_text())
    assert isinstance(result.decision, Decision)
    assert json.loads((tmp_path / "result.json").read_text())["evaluation"]["rows"] == result.evaluation.rows
