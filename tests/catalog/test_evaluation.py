"""Scores against scikit-learn's, calibration, and what is answered."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from catalog.abstention import Abstention
from catalog.evaluation import Evaluation, evaluate, slices_of
from catalog.scores import count_confusion, f1_interval, resampled_f1
from catalog.taxonomy import Taxonomy

NEVER = Abstention(target_precision=0.95, threshold=None, threshold_by_share=None, usual_score=None, on_novelty=False)
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
    abstention = Abstention(
        target_precision=0.95, threshold=0.9, threshold_by_share=0.8, usual_score=None, on_novelty=False
    )
    return evaluate(true, predicted, confidence, np.ones(2_000), slices_of(texts), SHOP, abstention, seed=0)


def test_scores_are_scikit_learns(rows: tuple[np.ndarray, ...], evaluation: Evaluation) -> None:  # type: ignore[type-arg]
    true, predicted, _ = rows
    assert evaluation.weighted_f1 == pytest.approx(f1_score(true, predicted, average="weighted"))
    assert evaluation.macro_f1 == pytest.approx(f1_score(true, predicted, average="macro"))
    assert evaluation.accuracy == pytest.approx((true == predicted).mean())


def test_intervals_hold_the_score_and_are_as_wide_as_the_rows_allow(evaluation: Evaluation) -> None:
    low, high = evaluation.weighted_f1_interval
    assert low < evaluation.weighted_f1 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 2_000), rel=0.25)


def test_the_interval_of_a_types_f1_holds_the_true_one_in_95_of_100_samples() -> None:
    drawn = np.random.default_rng(0).multinomial(40, [0.6, 0.1, 0.3], size=2_000)  # right, wrongly given, missed
    intervals = [f1_interval(int(right), 40) for right in drawn[:, 0]]
    true = 2 * 0.6 / (1 + 0.6)
    assert np.mean([low <= true <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.02)


def test_a_type_with_few_rows_has_a_wide_interval_even_if_all_are_right() -> None:
    low, high = f1_interval(3, 3)
    assert low < 0.7
    assert high == 1
    assert f1_interval(0, 3)[0] == pytest.approx(0)
    with pytest.raises(ValueError, match="no share"):
        f1_interval(0, 0)


def test_a_calibrated_model_has_hardly_any_calibration_error(evaluation: Evaluation) -> None:
    assert evaluation.expected_calibration_error < 0.03


def test_an_overconfident_model_has_much(rows: tuple[np.ndarray, ...]) -> None:  # type: ignore[type-arg]
    true, predicted, _ = rows
    sure = np.full(2_000, 0.99)
    given = evaluate(true, predicted, sure, sure, {}, SHOP, NEVER, seed=0)
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
    assert evaluation.coverage_by_share == pytest.approx((confidence >= 0.8).mean())
    low, high = evaluation.selective_precision_interval or (0, 0)
    assert low < evaluation.selective_precision < high


def test_an_evaluation_is_the_same_after_a_round_through_json(evaluation: Evaluation) -> None:
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_no_rows_are_refused() -> None:
    empty = np.array([], dtype=np.int64)
    with pytest.raises(ValueError, match="no test rows"):
        evaluate(empty, empty, empty.astype(float), empty.astype(float), {}, SHOP, NEVER, 0)


def test_types_without_a_test_row_are_named(rows: tuple[np.ndarray, ...]) -> None:  # type: ignore[type-arg]
    true, predicted, confidence = rows
    some = true != 3
    given = evaluate(true[some], predicted[some], confidence[some], confidence[some], {}, SHOP, NEVER, seed=0)
    assert given.types_without_rows == ("Puzzles",)
    assert [scores.rows > 0 for scores in given.per_type] == [True, True, False]


def test_the_confusion_has_only_pairs_that_occur(evaluation: Evaluation, rows: tuple[np.ndarray, ...]) -> None:  # type: ignore[type-arg]
    true, predicted, _ = rows
    matrix = confusion_matrix(true, predicted)
    assert evaluation.confusion == tuple(
        (*map(int, place), int(matrix[place])) for place in zip(*matrix.nonzero(), strict=True)
    )
    assert evaluation.confusions[0].rows == matrix[~np.eye(3, dtype=bool)].max()


def test_resampled_scores_are_scikit_learns() -> None:
    generator = np.random.default_rng(1)
    true, predicted = generator.integers(0, 5, 40), generator.integers(0, 6, 40)
    draws = generator.multinomial(40, np.full(40, 1 / 40), size=20)
    f1, counts = resampled_f1(true, predicted, draws)
    types = np.union1d(true, predicted)
    for own, rows, draw in zip(f1, counts, draws, strict=True):
        drawn = np.repeat(np.arange(40), draw)
        expected = f1_score(true[drawn], predicted[drawn], labels=types, average=None, zero_division=0)
        assert own == pytest.approx(expected)
        assert rows.tolist() == [(true[drawn] == type_).sum() for type_ in types]


def test_thousands_of_types_need_memory_for_their_rows_and_not_for_their_square() -> None:
    types, rows = 3_000, 8_500
    generator = np.random.default_rng(0)
    true = generator.integers(1, types + 1, rows)
    predicted = np.where(generator.random(rows) < 0.7, true, generator.integers(1, types + 1, rows))
    confidence = generator.random(rows)
    shop = Taxonomy(name="shop", labels={code: f"type {code}" for code in range(1, types + 1)})
    assert len(count_confusion(true, predicted).rows) < rows
    tracemalloc.start()
    given = evaluate(true, predicted, confidence, confidence, {}, shop, NEVER, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400 * 2**20  # the matrix of all pairs for each resample would take 67 GiB
    assert len(given.confusion) < rows
    assert sum(count for _, _, count in given.confusion) == rows
