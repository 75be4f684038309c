"""Compare a challenger with the champion on the same rows: a paired bootstrap, guards, a decision and its reason.

The rows are resampled with replacement (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993), both models'
answers together, as is usual for comparing systems on one test set (Koehn, "Statistical Significance Tests for Machine
Translation Evaluation", 2004; Berg-Kirkpatrick et al., "An Empirical Investigation of Statistical Significance in NLP",
2012).
"""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from catalog.evaluation import Evaluation
from catalog.scores import Codes, Flags, f1_by_type, resampled_f1, weighted_f1, weighted_mean_f1
from catalog.taxonomy import Taxonomy


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
    recent_rows: int = Field(200, ge=1, description="rows of the random sample that make a recent window")
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
    """Whether the challenger is promoted, and why, in a sentence with figures.

    `challenger_version` is its number in the model registry. `question` is the digest of everything that the decision
    depends on, the champion too, if it is final, else None: a run with the same question need not ask again.
    """

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
    challenger_version: str | None = None
    question: str | None = None

    @property
    def verdict(self) -> str:
        """The decision in a word."""
        return "promoted" if self.promoted else "refused"


def decide_first(evaluation: Evaluation, rules: PromotionRules, *, new_baseline: bool) -> Decision:
    """Judge a challenger that has no champion to beat, by the minimum scores of the rules."""
    weighted, macro = evaluation.weighted_f1, evaluation.macro_f1
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
    """Refuse a promotion for a reason other than scores."""
    return Decision(promoted=False, reason=reason, champion_version=champion_version)


def decide(
    codes: Codes,
    champion_predicted: Codes,
    challenger_predicted: Codes,
    recent: Flags,
    taxonomy: Taxonomy,
    rules: PromotionRules,
    champion_version: str,
    seed: int,
) -> Decision:
    """Compare two models' predictions on the same rows (arrays of `n`).

    `recent` marks recent reviewed rows, which are a window of their own. All others are the frozen test rows. A
    challenger is promoted if it loses nowhere on the test rows (in all at most the margin; in each type with enough
    rows at most the allowance) and gains somewhere (on the test rows, or on the recent ones if there are enough).
    """
    on_recent = None
    if recent.sum() >= rules.recent_rows:
        parts = (codes[recent], champion_predicted[recent], challenger_predicted[recent])
        on_recent = paired_bootstrap(*parts, rules, seed)
    codes, champion_predicted, challenger_predicted = (
        column[~recent] for column in (codes, champion_predicted, challenger_predicted)
    )
    on_test = paired_bootstrap(codes, champion_predicted, challenger_predicted, rules, seed)
    losses = type_losses(codes, champion_predicted, challenger_predicted, taxonomy, rules)
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


def rows_that_decide(window: pd.DataFrame, rules: PromotionRules, now: datetime) -> tuple[pd.DataFrame, Flags]:
    """Return the test rows of a comparison at a time, and which of them are recent.

    The recent rows were reviewed because they are in the random sample. Rows that were reviewed because the champion
    was uncertain are left out: a model that is no better would win on them. All others are listings, so no row counts
    twice.
    """
    since = now - timedelta(days=rules.recent_days)
    recent = (window["origin"] == "reviewed") & window["sampled"].astype(bool) & (window["given_at"] >= since)
    decisive = (window["split"] == "test") & ((window["origin"] == "listing") | recent)
    return window[decisive], recent[decisive].to_numpy(dtype=bool)


def paired_bootstrap(
    codes: Codes, champion: Codes, challenger: Codes, rules: PromotionRules, seed: int
) -> PairedDifference:
    """Return the difference in weighted F1 and its percentile interval.

    Rows with the same three codes are interchangeable. So a resample is one multinomial draw over the distinct triples:
    the same distribution as drawing rows, thousands of times faster.
    """
    triples, counts = np.unique(np.stack([codes, champion, challenger]), axis=1, return_counts=True)
    true, by_champion, by_challenger = triples
    draws = np.random.default_rng(seed).multinomial(len(codes), counts / len(codes), size=rules.resamples)
    drawn = [weighted_mean_f1(*resampled_f1(true, predicted, draws)) for predicted in (by_champion, by_challenger)]
    tail = (1 - rules.confidence) / 2
    lower, upper = np.quantile(drawn[1] - drawn[0], [tail, 1 - tail])
    difference = weighted_f1(codes, challenger) - weighted_f1(codes, champion)
    return PairedDifference(rows=len(codes), difference=difference, lower=float(lower), upper=float(upper))


def type_losses(
    codes: Codes, champion: Codes, challenger: Codes, taxonomy: Taxonomy, rules: PromotionRules
) -> dict[str, float]:
    """Return by label the loss in F1 of each type that loses more than is allowed; types with few rows are left out."""
    types, rows = np.unique(codes, return_counts=True)
    guarded = types[rows >= rules.minimum_type_rows]
    losses = f1_by_type(codes, champion, guarded) - f1_by_type(codes, challenger, guarded)
    return {
        taxonomy.labels[code]: loss
        for code, loss in zip(guarded.tolist(), losses.tolist(), strict=True)
        if loss > rules.maximum_type_loss
    }


def _interval(window: PairedDifference, rules: PromotionRules) -> str:
    bounds = f"{rules.confidence:.0%} interval {window.lower:+.3f} to {window.upper:+.3f}"
    return f"difference {window.difference:+.3f}, {bounds}"
