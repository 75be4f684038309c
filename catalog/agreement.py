"""How often people agree with the model's answers, compared with how often they should by its evaluation.

Only trusted feedback decides, which is that of reviewers and admins. What plain users say is shown beside it, and users
who mostly disagree are named.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.scores import Flags, Floats, weighted_f1, wilson_interval
from catalog.taxonomy import Taxonomy
from catalog.verdict import Verdict

_STRATA = 5  # of confidence
_COVERED = 0.5  # share of the predictions that the reviewed ones must be able to represent
_STRATUM = 5  # reviewed predictions that a stratum needs


class QualityRules(BaseModel):
    """How much feedback is evidence, and how far agreement may lie below what the evaluation predicts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_feedback: int = Field(50, ge=10, description="reviewed predictions below which quality is not measured")
    minimum_type_feedback: int = Field(10, ge=1, description="reviewed predictions of a type for its precision")
    warning_margin: float = Field(0.02, ge=0, lt=1, description="upper bound this far below the expectation: warning")
    drift_margin: float = Field(0.05, ge=0, lt=1, description="upper bound this far below the expectation: drift")
    suspicious_feedback: int = Field(50, ge=1, description="feedback items from one user before they are reported")
    suspicious_disagreement: float = Field(0.6, gt=0, le=1, description="share of corrections among them from which on")

    @model_validator(mode="after")
    def _ordered(self) -> "QualityRules":
        if self.drift_margin < self.warning_margin:
            raise ValueError("drift_margin is below warning_margin")
        return self


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class TypePrecision(_Frozen):
    """The precision of one predicted type, by reviewed predictions, with its 95 % interval."""

    code: int
    label: str
    rows: int
    precision: float
    lower: float
    upper: float


class DisagreeingUser(_Frozen):
    """A user who gave much feedback that mostly disagrees with the model. `trusted`: this feedback decides."""

    user_id: str
    role: str
    rows: int
    disagreement: float
    trusted: bool


class Quality(_Frozen):
    """What feedback says; shares are between 0 and 1, intervals of 95 %. What could not be measured is None.

    `agreement` and `weighted_f1` are estimates for the share `covered` of the window: the predictions of such
    confidence as was reviewed. `reviewed_share` of the window was reviewed itself, and `reviewed_agreement` is the
    share of right answers among those. `users_agreement` is the share among plain users' feedback, which does not
    decide.
    """

    verdict: Verdict
    reason: str
    rows: int
    reviewed_share: float | None = None
    covered: float | None = None
    agreement: float | None = None
    lower: float | None = None
    upper: float | None = None
    expected_agreement: float | None = None
    weighted_f1: float | None = None
    expected_weighted_f1: float | None = None
    reviewed_agreement: float | None = None
    per_type: tuple[TypePrecision, ...] = ()
    users_rows: int = 0
    users_agreement: float | None = None
    disagreeing_users: tuple[DisagreeingUser, ...] = ()


def measure_quality(
    feedback: pd.DataFrame,
    confidences: Floats,
    held_out: pd.DataFrame,
    taxonomy: Taxonomy,
    rules: QualityRules,
) -> Quality:
    """Return how good the model is by what people said.

    feedback: prediction_id, predicted_code, confidence, correct_code, given_by, role, trusted, given_at; one row per
    user and prediction, oldest first. confidences: of all predictions of the window. held_out: prdtypecode,
    predicted_code, confidence of test rows, from which the expectation comes.

    Reviewers see the least certain answers first, so the plain share of right ones would be far below what the
    evaluation found. Each reviewed prediction therefore represents those of similar confidence (post-stratification:
    D. Holt and T. M. F. Smith, "Post Stratification", 1979). Confidences of which too few were reviewed are left out,
    in the expectation too. The interval is that of as many independent reviews as the weights are worth (L. Kish,
    1965). Quality is not measured when the reviewed confidences represent less than half of the predictions.
    """
    reviewed = feedback[feedback["trusted"].astype(bool)].drop_duplicates("prediction_id", keep="last")
    unmeasured = _unmeasured(feedback, len(reviewed), len(confidences), rules)
    if len(reviewed) < rules.minimum_feedback or held_out.empty:
        wanted = f"{len(reviewed):,} reviewed predictions, and {rules.minimum_feedback:,} are needed"
        return unmeasured.model_copy(update={"reason": wanted})
    codes, predicted = (reviewed[column].to_numpy(np.int64) for column in ("correct_code", "predicted_code"))
    right = predicted == codes
    weights, covered, share = _represent(
        reviewed["confidence"].to_numpy(), confidences, held_out["confidence"].to_numpy()
    )
    if share < _COVERED:
        wanted = f"{len(reviewed):,} reviewed predictions, whose confidences represent only {share:.0%} of all"
        return unmeasured.model_copy(update={"reason": wanted})
    agreement = float(np.average(right, weights=weights))
    lower, upper = wilson_interval(agreement, float(weights.sum() ** 2 / (weights**2).sum()))
    true, guessed = (held_out[column].to_numpy(np.int64)[covered] for column in ("prdtypecode", "predicted_code"))
    expected = float((true == guessed).mean())
    verdict, margin = _judge(upper, expected, rules)
    return unmeasured.model_copy(
        update={
            "verdict": verdict,
            "reason": f"by {len(right):,} reviews, which represent {share:.0%} of the predictions, {agreement:.1%} "
            f"({lower:.1%} to {upper:.1%}) of these answers are right; the upper bound is "
            f"{'at least' if verdict == 'ok' else 'below'} the expected {expected:.1%} less {margin:.0%}",
            "covered": share,
            "agreement": agreement,
            "lower": lower,
            "upper": upper,
            "expected_agreement": expected,
            "weighted_f1": weighted_f1(codes, predicted, weights),
            "expected_weighted_f1": weighted_f1(true, guessed),
            "reviewed_agreement": float(right.mean()),
            "per_type": tuple(_precisions(predicted, right, taxonomy, rules.minimum_type_feedback)),
        }
    )


def _unmeasured(feedback: pd.DataFrame, reviewed: int, predictions: int, rules: QualityRules) -> Quality:
    """Return what is known however little was reviewed: what plain users say, and who mostly disagrees."""
    users = feedback[~feedback["trusted"].astype(bool)]
    return Quality(
        verdict="insufficient_data",
        reason="",
        rows=reviewed,
        reviewed_share=reviewed / predictions if predictions else None,
        users_rows=len(users),
        users_agreement=float((users["predicted_code"] == users["correct_code"]).mean()) if len(users) else None,
        disagreeing_users=tuple(_disagreeing_users(feedback, rules)),
    )


def _judge(upper: float, expected: float, rules: QualityRules) -> tuple[Verdict, float]:
    """Return the verdict, and the margin that it is about."""
    if upper < expected - rules.drift_margin:
        return "drift", rules.drift_margin
    return ("warning" if upper < expected - rules.warning_margin else "ok"), rules.warning_margin


def _represent(reviewed: Floats, everything: Floats, held_out: Floats) -> tuple[Floats, Flags, float]:
    """Return how many of the window's predictions each reviewed one represents, and which held-out rows are comparable.

    Strata are fifths of the held-out confidences. The last value is the share of the predictions in the strata used.
    """
    edges = np.unique(np.quantile(held_out, np.arange(1, _STRATA) / _STRATA))
    of_reviewed, of_all, of_held_out = (np.searchsorted(edges, values) for values in (reviewed, everything, held_out))
    reviews, predictions, expected = (
        np.bincount(strata, minlength=len(edges) + 1) for strata in (of_reviewed, of_all, of_held_out)
    )
    used = (reviews >= _STRATUM) & (expected > 0)
    weights = np.where(used, predictions / np.maximum(reviews, 1), 0.0)[of_reviewed]
    return weights, used[of_held_out], float(used[of_all].mean()) if len(everything) else 0.0


def _precisions(
    predicted: NDArray[np.int64], right: Flags, taxonomy: Taxonomy, minimum_rows: int
) -> list[TypePrecision]:
    found = []
    for code in np.unique(predicted).tolist():
        of_type = right[predicted == code]
        if len(of_type) >= minimum_rows:
            precision = float(of_type.mean())
            lower, upper = wilson_interval(precision, len(of_type))
            label = taxonomy.label_of(code)
            found.append(
                TypePrecision(code=code, label=label, rows=len(of_type), precision=precision, lower=lower, upper=upper)
            )
    return sorted(found, key=lambda entry: entry.precision)


def _disagreeing_users(feedback: pd.DataFrame, rules: QualityRules) -> list[DisagreeingUser]:
    """Return the users who gave much feedback that mostly disagrees with the model, the most active first."""
    found = []
    for (user_id, role, trusted), given in feedback.groupby(["given_by", "role", "trusted"], sort=True):
        share = float((given["predicted_code"] != given["correct_code"]).mean())
        if len(given) >= rules.suspicious_feedback and share >= rules.suspicious_disagreement:
            found.append(
                DisagreeingUser(
                    user_id=str(user_id), role=str(role), rows=len(given), disagreement=share, trusted=bool(trusted)
                )
            )
    return sorted(found, key=lambda entry: -entry.rows)
