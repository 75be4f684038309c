"""Whether novelty tells unknown listings from known ones, and whether it pays to abstain on them.

Nobody has listings of types that do not exist yet. So a small model is trained without some of the types, and listings
of these types stand for the unknown ones.
"""

import logging
import time

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from catalog.abstention import choose_abstention
from catalog.candidates import Candidate
from catalog.scores import Flags

logger = logging.getLogger(__name__)

_UNKNOWN_TYPES = 0.2  # of all types
# Rows of the trial, of the train rows and at most as many of validation: a small part of the time of a training.
_SHARE, _FEWEST, _MOST = 1 / 10, 1_600, 8_000
_FEWEST_TYPES = 3  # one is held out, and a model needs two


class AnsweredShare(BaseModel):
    """The share of known listings that is answered, and the share of all answers that is right (None: no answer).

    Answers about unknown listings are wrong.
    """

    model_config = ConfigDict(frozen=True)

    coverage: float
    precision: float | None


class NoveltyTrial(BaseModel):
    """What came of a model that was trained without `types` types: on validation rows of types that it knows, and of
    types that it does not know.

    `auc`: how often an unknown listing has a lower top score than a known one. `known_flagged` and `unknown_flagged`
    are the shares that are novel. `without` and `with_novelty`: what is answered if only the confidence decides, and if
    the model abstains on novel listings too.
    """

    model_config = ConfigDict(frozen=True)

    types: int
    known_rows: int
    unknown_rows: int
    auc: float
    known_flagged: float
    unknown_flagged: float
    without: AnsweredShare
    with_novelty: AnsweredShare

    @property
    def pays(self) -> bool:
        """Whether abstention on novel listings gains more precision than it costs coverage of known listings."""
        if self.without.precision is None or self.with_novelty.precision is None:
            return False
        gained = self.with_novelty.precision - self.without.precision
        return gained > self.without.coverage - self.with_novelty.coverage


def try_novelty(
    listings: pd.DataFrame, candidate: Candidate, target_precision: float, seed: int
) -> NoveltyTrial | None:
    """Train without a fifth of the types, and see what novelty is worth on validation rows.

    `candidate` has settled values. The same rows and seed give the same trial. None: there are too few types, or too
    few rows of them, to try it.
    """
    from sklearn.metrics import roc_auc_score

    from catalog.classifier import ProductTypeClassifier

    started = time.monotonic()
    train, validation = (listings[listings["split"] == split] for split in ("train", "validation"))
    most = min(max(int(len(train) * _SHARE), _FEWEST), _MOST)
    held_out = _held_out(train, seed)
    train = _some(train[~train["prdtypecode"].isin(held_out)], most, seed)
    validation = _some(validation, most, seed)
    types = train["prdtypecode"].nunique()
    known: Flags = validation["prdtypecode"].isin(train["prdtypecode"].unique()).to_numpy()
    if len(held_out) == 0 or types < _FEWEST_TYPES - 1 or known.all() or not known.any():
        return None
    classifier = ProductTypeClassifier(**{**dict(candidate), "seed": seed})
    classifier.fit(train["designation"].tolist(), train["description"].tolist(), train["prdtypecode"].to_numpy())
    codes = validation["prdtypecode"].to_numpy()
    scores = classifier.decision_function(validation)
    classifier.calibrate_scores(scores, codes)
    predicted = classifier.classes_[scores.argmax(axis=1)]
    confidence, top_scores = classifier.confidences(scores).max(axis=1), scores.max(axis=1)

    def answered(*, on_novelty: bool) -> tuple[AnsweredShare, Flags]:
        of_known = codes[known], predicted[known], confidence[known], top_scores[known]
        abstention = choose_abstention(*of_known, target_precision, on_novelty=on_novelty)
        rows = abstention.answered(confidence, top_scores)
        precision = float((predicted == codes)[rows].mean()) if rows.any() else None
        share = AnsweredShare(coverage=float(rows[known].mean()), precision=precision)
        return share, abstention.novel(top_scores)

    without, novel = answered(on_novelty=False)
    trial = NoveltyTrial(
        types=len(held_out),
        known_rows=int(known.sum()),
        unknown_rows=int((~known).sum()),
        auc=float(roc_auc_score(known, top_scores)),
        known_flagged=float(novel[known].mean()),
        unknown_flagged=float(novel[~known].mean()),
        without=without,
        with_novelty=answered(on_novelty=True)[0],
    )
    logger.info("Tried novelty without %d types, %.1f s", trial.types, time.monotonic() - started)
    return trial


def _held_out(train: pd.DataFrame, seed: int) -> np.ndarray:
    """Return the types that the trial is trained without: drawn by the seed, in the order of their codes."""
    types = np.unique(train["prdtypecode"].to_numpy())
    if len(types) < _FEWEST_TYPES:
        return types[:0]
    count = max(round(_UNKNOWN_TYPES * len(types)), 1)
    return np.sort(np.random.default_rng(seed).choice(types, count, replace=False))


def _some(rows: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    return rows.sample(n=most, random_state=seed) if len(rows) > most else rows
