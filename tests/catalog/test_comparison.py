"""Who is promoted: one rule a test."""

from typing import Any

import numpy as np
import pytest

from catalog.abstention import Abstention
from catalog.comparison import Decision, PromotionRules, decide, decide_first, paired_bootstrap
from catalog.evaluation import Evaluation, evaluate
from catalog.scores import Codes, weighted_f1
from catalog.taxonomy import Taxonomy

SHOP = Taxonomy(name="shop", labels={1: "Pools", 2: "Sofas", 3: "Puzzles"})
ALWAYS_ABSTAIN = Abstention(
    target_precision=0.95, threshold=None, threshold_by_share=None, usual_score=None, on_novelty=False
)
RULES = PromotionRules()


def codes(rows: int = 1_200) -> Codes:
    return np.arange(rows, dtype=np.int64) % 3 + 1


def wrong_on(true: Codes, rows: slice | np.ndarray[Any, Any]) -> Codes:
    predicted = true.copy()
    predicted[rows] = true[rows] % 3 + 1
    return predicted


def judged(true: Codes, champion: Codes, challenger: Codes, recent: int = 0, **rules: Any) -> Decision:
    """Decide with the last `recent` rows as the recent reviewed ones."""
    window = np.arange(len(true)) >= len(true) - recent
    return decide(true, champion, challenger, window, SHOP, PromotionRules(**rules), "3", seed=0)


def test_a_clear_gain_is_promoted() -> None:
    true = codes()
    decision = judged(true, wrong_on(true, slice(0, 240)), wrong_on(true, slice(0, 120)))
    assert decision.promoted
    assert "weighted F1 0.900 against 0.800 of version 3 on the same 1,200 test rows" in decision.reason


def test_a_clear_loss_is_refused() -> None:
    true = codes()
    decision = judged(true, wrong_on(true, slice(0, 60)), wrong_on(true, slice(0, 120)))
    assert not decision.promoted
    assert "a loss of more than 0.01 cannot be ruled out" in decision.reason


def test_the_margin_is_the_loss_that_the_interval_may_reach() -> None:
    true = codes()
    arguments = true, wrong_on(true, slice(0, 60)), wrong_on(true, slice(0, 66))
    on_test = judged(*arguments).on_test
    assert on_test is not None
    assert on_test.lower < 0
    assert "cannot be ruled out" in judged(*arguments, margin=-on_test.lower).reason
    assert "no gain that is more than chance" in judged(*arguments, margin=-1.01 * on_test.lower).reason


def test_equal_answers_are_refused() -> None:
    true = codes()
    predicted = wrong_on(true, slice(0, 60))
    decision = judged(true, predicted, predicted.copy())
    assert not decision.promoted
    assert "no gain that is more than chance" in decision.reason


def test_a_gain_that_may_be_chance_is_refused() -> None:
    true = codes()
    decision = judged(true, wrong_on(true, slice(0, 62)), wrong_on(true, slice(2, 62)))
    assert decision.on_test is not None
    assert decision.on_test.difference > 0
    assert not decision.promoted


def test_a_gain_below_the_minimum_is_refused() -> None:
    true = codes()
    arguments = true, wrong_on(true, slice(0, 240)), wrong_on(true, slice(0, 120))
    assert judged(*arguments, minimum_gain=0.05).promoted
    assert not judged(*arguments, minimum_gain=0.2).promoted


def test_a_type_that_loses_too_much_is_a_veto_whatever_the_mean_says() -> None:
    true = codes()
    pools, sofas = np.flatnonzero(true == 1), np.flatnonzero(true == 2)
    decision = judged(true, wrong_on(true, sofas[:300]), wrong_on(true, pools[:120]))
    assert decision.challenger_weighted_f1 > decision.champion_weighted_f1  # type: ignore[operator]
    assert not decision.promoted
    assert "the type Pools loses" in decision.reason
    assert list(decision.type_losses) == ["Pools"]


def test_a_type_with_few_rows_is_no_veto() -> None:
    true = np.concatenate([codes(1_200) % 2 + 2, np.ones(29, dtype=np.int64)])
    champion, challenger = wrong_on(true, slice(0, 240)), wrong_on(true, slice(1_200, 1_229))
    assert judged(true, champion, challenger).promoted
    assert not judged(true, champion, challenger, minimum_type_rows=29).promoted


def test_a_gain_on_enough_recent_reviewed_rows_is_promoted() -> None:
    true = codes(3_000)
    champion = wrong_on(true, np.r_[0:300, 2_800:2_815])
    challenger = wrong_on(true, np.r_[6:312])
    assert judged(true, champion, challenger, recent=200).promoted
    assert "a gain on 200 recent reviewed rows" in judged(true, champion, challenger, recent=200).reason
    assert not judged(true, champion, challenger, recent=199).promoted


def scored(weighted: float, macro: float) -> Evaluation:
    true = codes(30)
    evaluation = evaluate(true, true, np.ones(30), np.ones(30), {}, SHOP, ALWAYS_ABSTAIN, seed=0)
    return evaluation.model_copy(update={"weighted_f1": weighted, "macro_f1": macro})


def test_without_a_champion_the_minimum_scores_decide() -> None:
    good = decide_first(scored(0.8, 0.7), RULES, new_baseline=False)
    poor = decide_first(scored(0.8, 0.2), RULES, new_baseline=False)
    assert good.promoted
    assert "there was no version in production" in good.reason
    assert not poor.promoted
    assert "miss the minimum of at least 0.50 and 0.30" in poor.reason


def test_a_new_baseline_is_written_down_as_such() -> None:
    decision = decide_first(scored(0.8, 0.7), RULES, new_baseline=True)
    assert decision.new_baseline
    assert "a new baseline was asked for" in decision.reason


def test_the_bootstrap_agrees_with_resampling_row_by_row() -> None:
    generator = np.random.default_rng(1)
    true = generator.integers(1, 4, 300)
    champion = np.where(generator.random(300) < 0.7, true, generator.integers(1, 4, 300))
    challenger = np.where(generator.random(300) < 0.8, true, generator.integers(1, 4, 300))
    fast = paired_bootstrap(true, champion, challenger, RULES, seed=0)
    rows = generator.integers(0, 300, (2_000, 300))
    slow = [weighted_f1(true[r], challenger[r]) - weighted_f1(true[r], champion[r]) for r in rows]
    assert [fast.lower, fast.upper] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.008)


def test_the_same_seed_gives_the_same_interval() -> None:
    true = codes()
    arguments = true, wrong_on(true, slice(0, 200)), wrong_on(true, slice(100, 250)), RULES
    assert paired_bootstrap(*arguments, seed=5) == paired_bootstrap(*arguments, seed=5)


def test_unknown_rules_are_an_error() -> None:
    with pytest.raises(ValueError, match="margn"):
        PromotionRules.model_validate({"margn": 0.1})
