"""From which confidence a model answers, and which listings are novel."""

import numpy as np
import pytest
from scipy.stats import binom

from catalog.abstention import Abstention, choose_abstention
from catalog.scores import Codes, Floats


def chosen(codes: Codes, predicted: Codes, confidence: Floats, target_precision: float) -> Abstention:
    """Choose by the confidence alone."""
    top_scores = np.ones(len(codes))
    return choose_abstention(codes, predicted, confidence, top_scores, target_precision, on_novelty=False)


def test_the_threshold_is_the_lowest_that_keeps_the_precision_with_certainty() -> None:
    confidence = np.linspace(1, 0.001, 1_000)
    true = np.ones(1_000, dtype=np.int64)
    predicted = np.where(np.arange(1_000) < 600, 1, 2)  # the 600 surest are right, the rest wrong
    found = chosen(true, predicted, confidence, 0.95)
    by_share = (confidence >= found.threshold_by_share).sum()
    with_certainty = (confidence >= found.threshold).sum()
    assert by_share == 631  # 600 of 631 are right, 600 of 632 would be too few
    # Of so many rows with a precision of 95 %, 600 or more are right in at most 5 % of the cases; of one more, in more.
    assert with_certainty == 621
    assert binom.sf(599, 621, 0.95) <= 0.05 < binom.sf(599, 622, 0.95)


def test_rows_of_equal_confidence_stand_together() -> None:
    confidence = np.array([0.9] * 60 + [0.5] * 40)
    predicted = np.array([1] * 60 + [1] * 20 + [2] * 20)
    found = chosen(np.ones(100, dtype=np.int64), predicted, confidence, 0.95)
    assert found.threshold == found.threshold_by_share == 0.9


@pytest.mark.parametrize(
    ("rows", "wrong"), [(100, 100), (58, 0), (0, 0)], ids=["all wrong", "too few to be certain", "no rows"]
)
def test_a_precision_out_of_reach_is_an_answer(rows: int, wrong: int) -> None:
    predicted = np.where(np.arange(rows) < wrong, 2, 1)
    found = chosen(np.ones(rows, dtype=np.int64), predicted, np.full(rows, 0.9), 0.95)
    assert found.threshold is None


@pytest.mark.parametrize("rows", [500, 3_000])
@pytest.mark.parametrize("target", [0.8, 0.95])
def test_the_precision_on_new_listings_is_seldom_below_the_target(rows: int, target: float) -> None:
    """Of a model whose confidence is exact, the precision from a confidence on is known: (1 + confidence) / 2."""
    generator = np.random.default_rng(0)
    true = np.ones(rows, dtype=np.int64)
    missed = missed_by_share = 0
    for _ in range(200):
        confidence = generator.uniform(0.4, 1, rows)
        predicted = np.where(generator.random(rows) < confidence, 1, 2)
        found = chosen(true, predicted, confidence, target)
        missed += found.threshold is not None and (1 + found.threshold) / 2 < target
        missed_by_share += found.threshold_by_share is not None and (1 + found.threshold_by_share) / 2 < target
    assert missed <= 20
    assert missed_by_share >= 80


def test_two_in_a_hundred_validation_listings_are_novel() -> None:
    top_scores = np.random.default_rng(0).permutation(np.arange(1_000.0))
    codes = np.ones(1_000, dtype=np.int64)
    found = choose_abstention(codes, codes, np.ones(1_000), top_scores, 0.95, on_novelty=False)
    assert sorted(top_scores[found.novel(top_scores)]) == list(range(20))


def test_without_validation_listings_none_is_novel() -> None:
    codes, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    found = choose_abstention(codes, codes, nothing, nothing, 0.95, on_novelty=True)
    assert found.usual_score is None
    assert not found.novel(np.array([-1e9])).any()


@pytest.mark.parametrize(("on_novelty", "answered"), [(True, [True, False]), (False, [True, True])])
def test_a_sure_answer_about_a_novel_listing_counts_unless_the_model_abstains_on_it(
    on_novelty: bool, answered: list[bool]
) -> None:
    abstention = Abstention(
        target_precision=0.95, threshold=0.9, threshold_by_share=0.8, usual_score=1.5, on_novelty=on_novelty
    )
    confidence, top_scores = np.array([0.95, 0.95]), np.array([1.5, 1.4])
    assert abstention.answered(confidence, top_scores).tolist() == answered
    assert abstention.answered_by_share(confidence, top_scores).tolist() == answered


def test_with_novelty_the_threshold_is_chosen_on_the_listings_that_are_left() -> None:
    confidence = np.linspace(1, 0.001, 1_000)
    true = np.ones(1_000, dtype=np.int64)
    wrong = np.arange(1_000) < 20  # the surest ones, and they are the novel ones
    predicted, top_scores = np.where(wrong, 2, 1), np.where(wrong, 0.0, 1.0)
    by_confidence = choose_abstention(true, predicted, confidence, top_scores, 0.985, on_novelty=False)
    with_novelty = choose_abstention(true, predicted, confidence, top_scores, 0.985, on_novelty=True)
    assert by_confidence.threshold is None
    assert with_novelty.threshold == pytest.approx(0.001)
