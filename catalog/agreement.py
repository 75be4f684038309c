"""How often people agree with the model's answers, against how often they should by its evaluation.

Only reviewers and admins decide; what plain users say is shown beside it, and whoever mostly disagrees is named.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.listings import TRUSTED_ROLES

Floats = NDArray[np.float64]
_STRATA = 5  # of confidence
_COVERED = 0.5  # of the predictions that the reviewed ones must be able to stand for
_STRATUM = 5  # reviewed predictions that tell something of one
_Z = 1.959963984540054  # of a two-sided interval of 95 %


class QualityRules(BaseModel):
    """How much feedback is evidence, and how far agreement may lie below what the evaluation makes one expect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_feedback: int = Field(50, ge=10, description="reviewed predictions below which quality is not measured")
    minimum_type_feedback: int = Field(10, ge=1, description="reviewed predictions of a type for its precision")
    warning_margin: float = Field(0.02, ge=0, lt=1, description="the upper bound this far below: warning")
    drift_margin: float = Field(0.05, ge=0, lt=1, description="the upper bound this far below: drift")
    suspicious_feedback: int = Field(50, ge=1, description="words of one giver that are many")
    suspicious_disagreement: float = Field(0.6, gt=0, le=1, description="share of corrections that is most of them")

    @model_validator(mode="after")
    def _ordered(self) -> "QualityRules":
        if self.drift_margin < self.warning_margin:
            raise ValueError("drift_margin is below warning_margin")
        return self


@dataclass(frozen=True)
class Quality:
    """What feedback says; shares between 0 and 1, intervals of 95 %. What could not be measured is None.

    `verdict` is ok, warning, drift or insufficient_data. `agreement` and `weighted_f1` are estimates for the whole
    window, `reviewed_agreement` is the plain share. `per_type` has code, label, rows, precision, lower, upper of the
    predicted types with enough feedback; `givers` username, role, rows, disagreement, decides of those who mostly
    disagree. `users_agreement` is that of plain users, who decide nothing.
    """

    verdict: str
    reason: str
    rows: int
    agreement: float | None = None
    lower: float | None = None
    upper: float | None = None
    expected_agreement: float | None = None
    weighted_f1: float | None = None
    expected_weighted_f1: float | None = None
    reviewed_agreement: float | None = None
    per_type: tuple[dict[str, Any], ...] = ()
    users_rows: int = 0
    users_agreement: float | None = None
    givers: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-able values."""
        return {**asdict(self), "per_type": list(self.per_type), "givers": list(self.givers)}


def measure_quality(
    feedback: pd.DataFrame,
    confidences: Floats,
    held_out: pd.DataFrame,
    labels: Mapping[int, str],
    rules: QualityRules,
) -> Quality:
    """Return how well the model does by what people said.

    feedback: prediction_id, predicted_code, confidence, correct_code, given_by, role, given_at; one row a giver and
    prediction, oldest first. confidences: of all predictions of the window. held_out: prdtypecode, predicted_code,
    confidence of test rows: what is expected.

    Reviewers look at the least certain answers first, so the plain share of right ones would be far below what the
    evaluation found. Each reviewed prediction therefore stands for those of about its confidence (post-stratification:
    D. Holt and T. M. F. Smith, "Post Stratification", 1979); confidences of which too few were reviewed are left out,
    of what is expected too. The interval is that of as many independent reviews as the weights are worth (L. Kish,
    1965). Where only a minority of the answers is as certain as the reviewed ones, nothing is said about the others.
    """
    decides = feedback["role"].isin(TRUSTED_ROLES)
    reviewed = feedback[decides].drop_duplicates("prediction_id", keep="last")
    users = feedback[~decides]
    beside: dict[str, Any] = {
        "users_rows": len(users),
        "users_agreement": float((users["predicted_code"] == users["correct_code"]).mean()) if len(users) else None,
        "givers": tuple(_disagreeing(feedback, rules)),
    }
    if len(reviewed) < rules.minimum_feedback or held_out.empty:
        wanted = f"{len(reviewed):,} reviewed predictions, and {rules.minimum_feedback:,} are needed"
        return Quality("insufficient_data", wanted, len(reviewed), **beside)
    codes, predicted = (reviewed[column].to_numpy(np.int64) for column in ("correct_code", "predicted_code"))
    right = predicted == codes
    weights, covered, share = _stand_for(
        reviewed["confidence"].to_numpy(), confidences, held_out["confidence"].to_numpy()
    )
    if share < _COVERED:
        wanted = f"{len(reviewed):,} reviewed predictions, whose confidences stand for {share:.0%} of all alone"
        return Quality("insufficient_data", wanted, len(reviewed), **beside)
    agreement = float(np.average(right, weights=weights))
    lower, upper = wilson_interval(agreement, float(weights.sum() ** 2 / (weights**2).sum()))
    true, guessed = (held_out[column].to_numpy(np.int64)[covered] for column in ("prdtypecode", "predicted_code"))
    expected = float((true == guessed).mean())
    verdict, margin = "ok", rules.warning_margin
    for name, below in (("warning", rules.warning_margin), ("drift", rules.drift_margin)):
        if upper < expected - below:
            verdict, margin = name, below
    return Quality(
        verdict=verdict,
        reason=f"by {len(right):,} reviews {agreement:.1%} ({lower:.1%} to {upper:.1%}) of the answers are right; the "
        f"upper bound is {'at least' if verdict == 'ok' else 'below'} the expected {expected:.1%} less {margin:.0%}",
        rows=len(right),
        agreement=agreement,
        lower=lower,
        upper=upper,
        expected_agreement=expected,
        weighted_f1=_weighted_f1(codes, predicted, weights),
        expected_weighted_f1=_weighted_f1(true, guessed, np.ones(len(true))),
        reviewed_agreement=float(right.mean()),
        per_type=tuple(_precisions(predicted, right, labels, rules.minimum_type_feedback)),
        **beside,
    )


def wilson_interval(share: float, trials: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share (E. B. Wilson, "Probable Inference, the Law of Succession, and
    Statistical Inference", 1927): it stays within 0 and 1, and holds for few trials too.

    Raises `ValueError` without any trial.
    """
    if not 0 <= share <= 1 or trials <= 0:
        raise ValueError(f"{share} of {trials} trials is no share")
    square = _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def _stand_for(reviewed: Floats, everything: Floats, held_out: Floats) -> tuple[Floats, NDArray[np.bool_], float]:
    """Return for how many of the window's predictions each reviewed one stands, and which held-out rows compare.

    Strata are fifths of the held-out confidences; the last value is the share of the predictions in those that count.
    """
    edges = np.unique(np.quantile(held_out, np.arange(1, _STRATA) / _STRATA))
    ours, all_ours, theirs = (np.searchsorted(edges, values) for values in (reviewed, everything, held_out))
    reviews, there, expected = (np.bincount(numbers, minlength=len(edges) + 1) for numbers in (ours, all_ours, theirs))
    told = (reviews >= _STRATUM) & (expected > 0)
    weights = np.where(told, there / np.maximum(reviews, 1), 0.0)[ours]
    return weights, told[theirs], float(told[all_ours].mean()) if len(everything) else 0.0


def _weighted_f1(codes: NDArray[np.int64], predicted: NDArray[np.int64], weights: Floats) -> float:
    types, true = np.unique(codes, return_inverse=True)
    support, right = np.bincount(true, weights=weights), np.bincount(true, weights=weights * (codes == predicted))
    guessed = np.array([weights[predicted == code].sum() for code in types])
    f1 = 2 * right / np.maximum(support + guessed, np.finfo(float).tiny)
    return float((f1 * support).sum() / support.sum())


def _precisions(
    predicted: NDArray[np.int64], right: NDArray[np.bool_], labels: Mapping[int, str], minimum: int
) -> list[dict[str, Any]]:
    found = []
    for code in np.unique(predicted).tolist():
        of_type = right[predicted == code]
        if len(of_type) >= minimum:
            lower, upper = wilson_interval(float(of_type.mean()), len(of_type))
            name = labels.get(code, str(code))
            found.append({"code": code, "label": name, "rows": len(of_type), "precision": float(of_type.mean()),
                          "lower": lower, "upper": upper})  # fmt: skip
    return sorted(found, key=lambda entry: float(entry["precision"]))


def _disagreeing(feedback: pd.DataFrame, rules: QualityRules) -> list[dict[str, Any]]:
    """Return who gave much feedback that mostly disagrees with the model, whoever gave most of it first."""
    found = []
    for (giver, role), words in feedback.groupby(["given_by", "role"], sort=True):
        share = float((words["predicted_code"] != words["correct_code"]).mean())
        if len(words) >= rules.suspicious_feedback and share >= rules.suspicious_disagreement:
            found.append({"username": str(giver), "role": str(role), "rows": len(words), "disagreement": share,
                          "decides": role in TRUSTED_ROLES})  # fmt: skip
    return sorted(found, key=lambda entry: -int(entry["rows"]))
