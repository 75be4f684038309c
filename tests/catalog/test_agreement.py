"""What feedback says about the quality, whoever gives it and however it was chosen."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from catalog.agreement import Quality, QualityRules, measure_quality
from catalog.scores import wilson_interval
from catalog.taxonomy import Taxonomy

SHOP = Taxonomy(name="shop", labels={10: "Books", 20: "Toys", 30: "Pools"})


def answers(rows: int, seed: int, lost: float = 0.0) -> pd.DataFrame:
    """Answers of a calibrated model: a confidence is the chance to be right, less what was lost."""
    generator = np.random.default_rng(seed)
    confidence = generator.beta(4, 1.2, rows)
    codes = generator.choice(list(SHOP.labels), rows)
    wrong = generator.random(rows) > confidence - lost
    predicted = np.where(wrong, np.array([20, 30, 10])[np.searchsorted([10, 20, 30], codes)], codes)
    return pd.DataFrame({"prdtypecode": codes, "predicted_code": predicted, "confidence": confidence})


def said(window: pd.DataFrame, rows: Any, user: str = "rita", role: str = "reviewer", **changes: Any) -> pd.DataFrame:
    chosen = window.iloc[rows]
    return pd.DataFrame(
        {
            "prediction_id": [str(row) for row in chosen.index], "predicted_code": chosen["predicted_code"],
            "confidence": chosen["confidence"], "correct_code": chosen["prdtypecode"], "given_by": user, "role": role,
            "trusted": role != "user", "given_at": 0, **changes,
        }
    )  # fmt: skip


def measured(window: pd.DataFrame, *feedback: pd.DataFrame, rules: QualityRules | None = None) -> Quality:
    held_out, joined = answers(4_000, 99), pd.concat(feedback)
    return measure_quality(joined, window["confidence"].to_numpy(), held_out, SHOP, rules or QualityRules())


def test_the_interval_is_wilsons() -> None:
    assert wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(1.0, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    with pytest.raises(ValueError, match="no share"):
        wilson_interval(0.5, 0)


@pytest.mark.parametrize("seed", range(10))
def test_a_model_as_good_as_ever_is_ok_whichever_answers_were_reviewed(seed: int) -> None:
    window = answers(2_000, seed)
    random = said(window, np.arange(300))
    assert measured(window, random).verdict == "ok"
    uncertain = np.flatnonzero(window["confidence"] < window["confidence"].median())
    of_both = said(window, [*uncertain[:250], *range(1_900, 1_950)])
    quality = measured(window, of_both.drop_duplicates("prediction_id"))
    assert quality.verdict == "ok"
    assert quality.reviewed_agreement is not None
    assert quality.agreement is not None
    assert quality.reviewed_agreement < quality.agreement - 0.05, "the plain share would have been an alarm"


def test_the_agreement_says_which_part_of_the_window_it_is_about() -> None:
    window = answers(2_000, 3)
    surest = np.argsort(-window["confidence"].to_numpy())
    quality = measured(window, said(window, surest[:1_400:4]))
    assert quality.covered == pytest.approx(0.7, abs=0.15)
    assert quality.reviewed_share == 350 / 2_000
    assert f"by 350 reviews, which represent {quality.covered:.0%} of the predictions, " in quality.reason
    everywhere = measured(window, said(window, np.arange(300)))
    assert everywhere.covered == 1.0
    few = measured(window, said(window, np.arange(10)))
    assert (few.covered, few.reviewed_share, few.agreement) == (None, 0.005, None)


def test_reviews_of_the_least_certain_answers_alone_are_no_evidence_about_the_others() -> None:
    window = answers(2_000, 1)
    quality = measured(window, said(window, np.argsort(window["confidence"].to_numpy())[:300]))
    assert quality.verdict == "insufficient_data"
    assert quality.agreement is None
    assert "represent only" in quality.reason


@pytest.mark.parametrize(("lost", "verdict"), [(0.0, "ok"), (0.03, "warning"), (0.3, "drift")])
def test_the_more_answers_are_wrong_the_worse_the_verdict(lost: float, verdict: str) -> None:
    window = answers(4_000, 7, lost)
    quality = measured(window, said(window, np.arange(2_000)))
    assert quality.verdict == verdict
    assert quality.agreement == pytest.approx((window["predicted_code"] == window["prdtypecode"]).mean(), abs=0.03)


def test_too_little_feedback_is_no_figure() -> None:
    window = answers(1_000, 3)
    quality = measured(window, said(window, np.arange(49)))
    assert (quality.verdict, quality.rows) == ("insufficient_data", 49)
    assert quality.agreement is quality.weighted_f1 is quality.lower is None


def test_a_thousand_wrong_labels_from_one_user_change_no_figure_and_the_user_is_named() -> None:
    window = answers(3_000, 5)
    honest = said(window, np.arange(400))
    flood = said(window, np.arange(1_000, 2_000), "mallory", "user", correct_code=30)
    clean, poisoned = measured(window, honest), measured(window, honest, flood)
    beside = {"users_rows", "users_agreement", "disagreeing_users"}
    assert clean.model_dump(exclude=beside) == poisoned.model_dump(exclude=beside)
    [named] = poisoned.disagreeing_users
    assert (named.user_id, named.rows, named.trusted) == ("mallory", 1_000, False)
    assert clean.disagreeing_users == ()


def test_a_reviewer_who_mostly_disagrees_is_named_as_trusted() -> None:
    window = answers(1_000, 6)
    window["prdtypecode"] = 40
    [named] = measured(window, said(window, np.arange(200))).disagreeing_users
    assert named.trusted


def test_precision_is_measured_for_types_with_enough_feedback() -> None:
    window = answers(1_000, 8)
    rows = [*np.flatnonzero(window["predicted_code"] == 10)[:80], *np.flatnonzero(window["predicted_code"] == 20)[:9]]
    quality = measured(window, said(window, rows))
    assert [entry.label for entry in quality.per_type] == ["Books"]


def test_the_last_reviewers_word_decides() -> None:
    window = answers(1_000, 9)
    wrong = said(window, np.arange(300), "rolf", correct_code=40)
    assert measured(window, wrong, said(window, np.arange(300))).agreement == pytest.approx(
        measured(window, said(window, np.arange(300))).agreement or 0
    )
