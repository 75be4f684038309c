"""Scores against scikit-learn's, calibration, and the abstention threshold."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from catalog.evaluation import Evaluation, abstention_threshold, evaluate, slices_of
from catalog.taxonomy import Taxonomy

SHOP = Taxonomy(name="shop", labels={1: "Pools", 2: "Sofas", 3: "Puzzles"})


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    generator = np.random.default_rng(0)
    true = generator.integers(1, 4, 2_000)
    confidence = generator.uniform(0.4, 1, 2_000)
    right = generator.random(2_000) < confidence  # perfectly calibrated
    return true, np.where(right, true, true % 3 + 1), confidence


@pytest.fixture(scope="module")
def evaluation(rows: tuple[np.ndarray, ...]) -> Evaluation:  # type: ignore[type-arg]
    true, predicted, confidence = rows
    numbers = np.arange(2_000)
    texts = pd.DataFrame(
        {"language": np.where(numbers < 1_500, "fr", "en"), "description": np.where(numbers % 2 == 0, "text", None)}
    )
    return evaluate(true, predicted, confidence, slices_of(texts), SHOP, 0.9, seed=0)


def test_scores_are_scikit_learns(rows: tuple[np.ndarray, ...], evaluation: Evaluation) -> None:  # type: ignore[type-arg]
    true, predicted, _ = rows
    assert evaluation.weighted_f1 == pytest.approx(f1_score(true, predicted, average="weighted"))
    assert evaluation.macro_f1 == pytest.approx(f1_score(true, predicted, average="macro"))
    assert evaluation.accuracy == pytest.approx((true == predicted).mean())


def test_intervals_hold_the_score_and_are_as_wide_as_the_rows_allow(evaluation: Evaluation) -> None:
    low, high = evaluation.weighted_f1_interval
    assert low < evaluation.weighted_f1 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 2_000), rel=0.25)


def test_a_calibrated_model_has_hardly_any_calibration_error(evaluation: Evaluation) -> None:
    assert evaluation.expected_calibration_error < 0.03


def test_an_overconfident_model_has_much(rows: tuple[np.ndarray, ...]) -> None:  # type: ignore[type-arg]
    true, predicted, _ = rows
    sure = np.full(2_000, 0.99)
    given = evaluate(true, predicted, sure, {}, SHOP, None, seed=0)
    assert given.expected_calibration_error == pytest.approx(0.99 - given.accuracy)


def test_languages_and_descriptions_are_told_apart(evaluation: Evaluation) -> None:
    assert {entry.name: entry.rows for entry in evaluation.slices} == {
        "language en": 500, "language fr": 1_500, "with description": 1_000, "without description": 1_000,
    }  # fmt: skip


def test_coverage_and_precision_are_those_at_the_threshold(
    rows: tuple[np.ndarray, ...],  # type: ignore[type-arg]
    evaluation: Evaluation,
) -> None:
    true, predicted, confidence = rows
    assert evaluation.coverage == pytest.approx((confidence >= 0.9).mean())
    assert evaluation.selective_precision == pytest.approx((true == predicted)[confidence >= 0.9].mean())


def test_an_evaluation_is_the_same_after_a_round_through_json(evaluation: Evaluation) -> None:
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_no_rows_are_refused() -> None:
    empty = np.array([], dtype=np.int64)
    with pytest.raises(ValueError, match="no test rows"):
        evaluate(empty, empty, empty.astype(float), {}, SHOP, None, 0)


def test_the_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    confidence = np.linspace(1, 0.01, 100)
    true = np.ones(100, dtype=np.int64)
    predicted = np.where(np.arange(100) < 60, 1, 2)  # the 60 surest are right, the rest wrong
    threshold = abstention_threshold(true, predicted, confidence, 0.95)
    kept = confidence >= threshold  # type: ignore[operator]
    assert kept.sum() == 63  # 60 of 63 are right, 60 of 64 would be too few
    assert abstention_threshold(true, predicted, confidence, 0.95, minimum_rows=64) is None


def test_rows_of_equal_confidence_stand_together() -> None:
    confidence = np.array([0.9] * 60 + [0.5] * 40)
    predicted = np.array([1] * 60 + [1] * 20 + [2] * 20)
    assert abstention_threshold(np.ones(100, dtype=np.int64), predicted, confidence, 0.95) == 0.9


def test_a_precision_out_of_reach_is_an_answer() -> None:
    wrong = np.full(100, 2)
    assert abstention_threshold(np.ones(100, dtype=np.int64), wrong, np.linspace(0, 1, 100), 0.95) is None
