"""When a model abstains: below which confidence, and which listings look like nothing that it has learned from."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from catalog.scores import Codes, Flags, Floats

_ERROR = 0.05  # probability with which the precision may be below the target
_UNUSUAL = 0.02  # the share of validation listings whose top score is below the usual one


class Abstention(BaseModel):
    """From which confidence on a model answers, so that at least the share `target_precision` of the answers is right.

    `threshold` keeps that with a confidence of 95 %; None: no threshold does, and a person must check every answer.
    `threshold_by_share` keeps it on the validation rows alone, and on new ones in about half of the cases.

    A listing is novel if its top score, the highest of the raw scores of the types, is below `usual_score` (None: there
    were no validation rows to learn it from). `on_novelty`: the model abstains on novel listings too, however high its
    confidence is.
    """

    model_config = ConfigDict(frozen=True)

    target_precision: float
    threshold: float | None
    threshold_by_share: float | None
    usual_score: float | None
    on_novelty: bool

    def novel(self, top_scores: Floats) -> Flags:
        """Return which rows are novel."""
        return top_scores < (-np.inf if self.usual_score is None else self.usual_score)

    def answered(self, confidence: Floats, top_scores: Floats) -> Flags:
        """Return on which rows the model does not abstain."""
        return self._answered_from(self.threshold, confidence, top_scores)

    def answered_by_share(self, confidence: Floats, top_scores: Floats) -> Flags:
        """Return the same for `threshold_by_share`."""
        return self._answered_from(self.threshold_by_share, confidence, top_scores)

    def _answered_from(self, threshold: float | None, confidence: Floats, top_scores: Floats) -> Flags:
        sure = confidence >= (np.inf if threshold is None else threshold)
        return sure & ~self.novel(top_scores) if self.on_novelty else sure


def choose_abstention(
    codes: Codes, predicted: Codes, confidence: Floats, top_scores: Floats, target_precision: float, *, on_novelty: bool
) -> Abstention:
    """Choose on validation rows from which confidence on a model answers, and which top score is a usual one.

    The threshold is the lowest confidence from which on the share of right answers has a lower bound of at least the
    target: the one-sided bound of 95 % (C. J. Clopper and E. S. Pearson, "The Use of Confidence or Fiducial Limits",
    1934). Rows of equal confidence are taken together. With `on_novelty` it is chosen on the rows that are not novel,
    since only those are answered.
    """
    from scipy.stats import beta

    usual_score = float(np.quantile(top_scores, _UNUSUAL)) if len(top_scores) else None
    if on_novelty and usual_score is not None:
        usual = top_scores >= usual_score
        codes, predicted, confidence = codes[usual], predicted[usual], confidence[usual]
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    last_of_equals = np.append(ordered[:-1] != ordered[1:], True)[: len(ordered)]
    answered = np.arange(1, len(ordered) + 1)
    right = np.cumsum(predicted[order] == codes[order])
    lower_bound = np.where(right > 0, beta.ppf(_ERROR, np.maximum(right, 1), answered - right + 1), 0.0)

    def lowest(share: Floats) -> float | None:
        reached = np.flatnonzero(last_of_equals & (share >= target_precision))
        return float(ordered[reached[-1]]) if len(reached) else None

    return Abstention(
        target_precision=target_precision,
        threshold=lowest(lower_bound),
        threshold_by_share=lowest(right / answered),
        usual_score=usual_score,
        on_novelty=on_novelty,
    )
