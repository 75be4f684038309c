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

_BINS = 10
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

    `verdict` is ok, warning, drift or insufficient_data. `per_type` has code, label, rows, precision, lower, upper of
    the predicted types with enough feedback; `givers` username, role, rows, disagreement, decides of those who mostly
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
    per_type: tuple[dict[str, Any], ...] = ()
    users_rows: int = 0
    users_agreement: float | None = None
    givers: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-able values."""
        return {**asdict(self), "per_type": list(self.per_type), "givers": list(self.givers)}


def measure_quality(
    feedback: pd.DataFrame, held_out: pd.DataFrame, labels: Mapping[int, str], rules: QualityRules
) -> Quality:
    """Return how well the model does by what people said.

    feedback: prediction_id, predicted_code, confidence, correct_code, given_by, role, given_at; one row a giver and
    prediction, oldest first. held_out: prdtypecode, predicted_code, confidence of test rows, what is expected.

    Reviewers look at the least certain answers first, so their agreement says little beside the evaluation's accuracy.
    What is expected is therefore measured on test rows weighted to the confidences of the reviewed predictions.
    """
    decides = feedback["role"].isin(TRUSTED_ROLES)
    reviewed = feedback[decides].drop_duplicates("prediction_id", keep="last")
    users = feedback[~decides]
    beside: dict[str, Any] = {
        "rows": len(reviewed),
        "users_rows": len(users),
        "users_agreement": float((users["predicted_code"] == users["correct_code"]).mean()) if len(users) else None,
        "givers": tuple(_disagreeing(feedback, rules)),
    }
    if len(reviewed) < rules.minimum_feedback or held_out.empty:
        wanted = f"{len(reviewed):,} reviewed predictions, and {rules.minimum_feedback:,} are needed"
        return Quality("insufficient_data", wanted, **beside)
    correct = reviewed["correct_code"].to_numpy(np.int64)
    predicted = reviewed["predicted_code"].to_numpy(np.int64)
    right = predicted == correct
    lower, upper = wilson_interval(int(right.sum()), len(right))
    weights = _weights(held_out["confidence"].to_numpy(), reviewed["confidence"].to_numpy())
    expected_right = (held_out["predicted_code"] == held_out["prdtypecode"]).to_numpy()
    expected = float(np.average(expected_right, weights=weights))
    verdict, margin = "ok", rules.warning_margin
    for name, below in (("warning", rules.warning_margin), ("drift", rules.drift_margin)):
        if upper < expected - below:
            verdict, margin = name, below
    beyond = "at least" if verdict == "ok" else "below"
    return Quality(
        verdict=verdict,
        reason=f"reviewers agree with {right.mean():.1%} ({lower:.1%} to {upper:.1%}) of {len(right):,} answers; "
        f"the upper bound is {beyond} the expected {expected:.1%} less {margin:.0%}",
        agreement=float(right.mean()),
        lower=lower,
        upper=upper,
        expected_agreement=expected,
        weighted_f1=_weighted_f1(correct, predicted, np.ones(len(right))),
        expected_weighted_f1=_weighted_f1(
            held_out["prdtypecode"].to_numpy(np.int64), held_out["predicted_code"].to_numpy(np.int64), weights
        ),
        per_type=tuple(_precisions(predicted, right, labels, rules.minimum_type_feedback)),
        **beside,
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (E. B. Wilson, "Probable Inference, the Law of Succession, and
    Statistical Inference", 1927): it stays within 0 and 1, and holds for few trials too.

    Raises `ValueError` without any trial.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} of {trials} is no share")
    share, square = successes / trials, _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def _weights(held_out: NDArray[np.float64], reviewed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a weight a held-out row, under which their confidences are spread as those of the reviewed answers are.

    Post-stratification by tenths of the held-out rows (D. Holt and T. M. F. Smith, 1979).
    """
    edges = np.unique(np.quantile(held_out, np.arange(1, _BINS) / _BINS))
    bins, wanted = np.searchsorted(edges, held_out), np.searchsorted(edges, reviewed)
    there = np.bincount(bins, minlength=len(edges) + 1)
    asked = np.where(there > 0, np.bincount(wanted, minlength=len(edges) + 1), 0)
    if not asked.sum():
        return np.ones(len(held_out))
    weights: NDArray[np.float64] = (asked / np.maximum(there, 1))[bins]
    return weights


def _weighted_f1(codes: NDArray[np.int64], predicted: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
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
            lower, upper = wilson_interval(int(of_type.sum()), len(of_type))
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
