"""Challenger against champion on the same rows: a paired bootstrap, guards, a decision and its sentence.

The rows are resampled with replacement (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993), both models'
answers together, as is usual for comparing systems on one test set (Koehn, "Statistical Significance Tests for Machine
Translation Evaluation", 2004; Berg-Kirkpatrick et al., "An Empirical Investigation of Statistical Significance in NLP",
2012).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Scores = NDArray[np.float64]


class PromotionRules(BaseModel):
    """What a challenger must show. Scores are weighted F1 unless they say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    margin: float = Field(0.01, ge=0, description="how far the lower bound of the difference may lie below zero")
    minimum_gain: float = Field(
        0.0, ge=0, description="what the lower bound must exceed, on all rows or the recent ones"
    )
    maximum_type_loss: float = Field(0.10, gt=0, description="F1 that one type may lose")
    minimum_type_rows: int = Field(30, ge=1, description="rows below which the F1 of a type is too noisy to judge by")
    minimum_weighted_f1: float = Field(0.5, ge=0, le=1, description="of a model without a champion to beat")
    minimum_macro_f1: float = Field(0.3, ge=0, le=1, description="of a model without a champion to beat")
    recent_rows: int = Field(200, ge=1, description="reviewed rows that make a recent window")
    recent_days: int = Field(90, ge=1, description="age up to which reviewed rows are recent")
    resamples: int = Field(2_000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1, description="of the two-sided interval of the difference")


class PairedDifference(BaseModel):
    """Weighted F1 of the challenger minus the champion's, with the bounds of its interval."""

    model_config = ConfigDict(frozen=True)

    rows: int
    difference: float
    lower: float
    upper: float


class Decision(BaseModel):
    """Whether the challenger is promoted, and why, in a sentence with figures."""

    model_config = ConfigDict(frozen=True)

    promoted: bool
    reason: str
    new_baseline: bool = False
    champion_version: str | None = None
    champion_weighted_f1: float | None = None
    challenger_weighted_f1: float | None = None
    on_test: PairedDifference | None = None
    on_recent: PairedDifference | None = None
    type_losses: dict[str, float] = {}

    def as_dict(self) -> dict[str, Any]:
        """Return the decision as JSON-able values."""
        return self.model_dump(mode="json")


def decide_first(evaluation: Mapping[str, Any], rules: PromotionRules, *, new_baseline: bool) -> Decision:
    """Judge a challenger that has no champion to beat, by its minimum scores (`weighted_f1` and `macro_f1`)."""
    weighted, macro = float(evaluation["weighted_f1"]), float(evaluation["macro_f1"])
    beginning = "a new baseline was asked for" if new_baseline else "there was no version in production"
    figures = f"weighted F1 {weighted:.3f} and macro F1 {macro:.3f}"
    least = f"at least {rules.minimum_weighted_f1:.2f} and {rules.minimum_macro_f1:.2f}"
    promoted = weighted >= rules.minimum_weighted_f1 and macro >= rules.minimum_macro_f1
    outcome = "meet the minimum of" if promoted else "miss the minimum of"
    return Decision(
        promoted=promoted,
        reason=f"{beginning}, and {figures} {outcome} {least}",
        new_baseline=new_baseline,
        challenger_weighted_f1=weighted,
    )


def refuse(reason: str, champion_version: str | None = None) -> Decision:
    """Decide against a promotion for a reason other than scores."""
    return Decision(promoted=False, reason=reason, champion_version=champion_version)


def decide(
    codes: Codes,
    champion_predicted: Codes,
    challenger_predicted: Codes,
    recent: Flags,
    labels: Mapping[int, str],
    rules: PromotionRules,
    champion_version: str,
    seed: int,
) -> Decision:
    """Compare two models' answers on the frozen test rows (`n` each; `recent` marks reviewed recent feedback).

    Promoted is what loses nowhere (neither on the whole beyond the margin, nor in a type with enough rows beyond the
    allowance) and gains somewhere (on all rows, or on the recent ones once there are enough).
    """
    on_test = paired_bootstrap(codes, champion_predicted, challenger_predicted, rules, seed)
    on_recent = None
    if recent.sum() >= rules.recent_rows:
        parts = (codes[recent], champion_predicted[recent], challenger_predicted[recent])
        on_recent = paired_bootstrap(*parts, rules, seed)
    losses = type_losses(codes, champion_predicted, challenger_predicted, labels, rules)
    gains = [window for window in (on_test, on_recent) if window and window.lower > rules.minimum_gain]
    old, new = (weighted_f1(codes, predicted) for predicted in (champion_predicted, challenger_predicted))
    versus = (
        f"weighted F1 {new:.3f} against {old:.3f} of version {champion_version} on the same {len(codes):,} test rows"
    )
    interval = _interval(on_test, rules)
    if on_test.lower <= -rules.margin:
        promoted, reason = False, f"{versus}: a loss of more than {rules.margin} cannot be ruled out ({interval})"
    elif losses:
        worst = max(losses, key=losses.__getitem__)
        promoted = False
        allowed = f"at most {rules.maximum_type_loss} is allowed"
        reason = f"{versus}, but the type {worst} loses {losses[worst]:.3f} F1 ({allowed})"
    elif not gains:
        promoted, reason = False, f"{versus}: no gain that is more than chance ({interval})"
    elif gains[0] is on_test:
        promoted, reason = True, f"{versus} ({interval})"
    else:
        promoted = True
        recently = f"a gain on {gains[0].rows:,} recent reviewed rows ({_interval(gains[0], rules)})"
        reason = f"{versus} ({interval}), and {recently}"
    return Decision(
        promoted=promoted,
        reason=reason,
        champion_version=champion_version,
        champion_weighted_f1=old,
        challenger_weighted_f1=new,
        on_test=on_test,
        on_recent=on_recent,
        type_losses=losses,
    )


def paired_bootstrap(
    codes: Codes, champion: Codes, challenger: Codes, rules: PromotionRules, seed: int
) -> PairedDifference:
    """Return the difference in weighted F1 and its percentile interval.

    Rows with the same three codes are interchangeable, so a resample is one multinomial draw over the distinct triples:
    the same distribution as drawing rows, thousands of times faster.
    """
    triples, counts = np.unique(np.stack([codes, champion, challenger]), axis=1, return_counts=True)
    draws = np.random.default_rng(seed).multinomial(len(codes), counts / len(codes), size=rules.resamples)
    types = np.unique(triples)
    drawn = [_weighted_f1(triples[0], answer, draws, types) for answer in (triples[1], triples[2])]
    tail = (1 - rules.confidence) / 2
    lower, upper = np.quantile(drawn[1] - drawn[0], [tail, 1 - tail])
    seen = [_weighted_f1(triples[0], answer, counts[np.newaxis], types)[0] for answer in (triples[1], triples[2])]
    return PairedDifference(
        rows=len(codes), difference=float(seen[1] - seen[0]), lower=float(lower), upper=float(upper)
    )


def type_losses(
    codes: Codes, champion: Codes, challenger: Codes, labels: Mapping[int, str], rules: PromotionRules
) -> dict[str, float]:
    """Return the loss in F1 of every type that loses more than is allowed, by label; small types are left out."""
    types, rows = np.unique(codes, return_counts=True)
    guarded = types[rows >= rules.minimum_type_rows]
    losses = f1_by_type(codes, champion, guarded) - f1_by_type(codes, challenger, guarded)
    return {
        labels[int(code)]: float(loss)
        for code, loss in zip(guarded, losses, strict=True)
        if loss > rules.maximum_type_loss
    }


def weighted_f1(codes: Codes, predicted: Codes) -> float:
    """Return the F1 of the types weighted by their rows."""
    types = np.union1d(codes, predicted)
    return float(_weighted_f1(codes, predicted, np.ones((1, len(codes))), types)[0])


def _weighted_f1(codes: Codes, predicted: Codes, draws: NDArray[Any], types: Codes) -> Scores:
    """Return the weighted F1 of each draw (resamples x rows of counts)."""
    true = draws @ (codes[:, np.newaxis] == types)
    guessed = draws @ (predicted[:, np.newaxis] == types)
    right = draws @ ((codes[:, np.newaxis] == types) & (predicted[:, np.newaxis] == codes[:, np.newaxis]))
    f1 = 2 * right / np.maximum(true + guessed, 1)
    result: Scores = (f1 * true).sum(axis=1) / true.sum(axis=1)
    return result


def f1_by_type(codes: Codes, predicted: Codes, types: Codes) -> Scores:
    """Return the F1 of each of these types."""
    true, guessed = codes[:, np.newaxis] == types, predicted[:, np.newaxis] == types
    result: Scores = 2 * (true & guessed).sum(axis=0) / np.maximum(true.sum(axis=0) + guessed.sum(axis=0), 1)
    return result


def _interval(window: PairedDifference, rules: PromotionRules) -> str:
    bounds = f"{rules.confidence:.0%} interval {window.lower:+.3f} to {window.upper:+.3f}"
    return f"difference {window.difference:+.3f}, {bounds}"
