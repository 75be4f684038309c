"""The audit of labels: listings whose type is probably wrong, with the type that they probably have.

The confidence in each label comes from models that were not trained on that listing or on a near duplicate of it, which
often has the same wrong label. They are linear models over words: fast, and good enough to doubt a label.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.svm import LinearSVC

from catalog.audit_rules import AuditRules
from catalog.blocks import Block
from catalog.confident_learning import NO_ERROR, Columns, believed_types
from catalog.features import fit_block
from catalog.near_duplicates import Shingles
from catalog.splits import text_forms
from catalog.text import normalise, words

Confidence = NDArray[np.float64]
COLUMNS = [
    "text_key", "designation", "given_code", "proposed_code", "given_confidence", "proposed_confidence", "sure",
]  # fmt: skip
_BLOCKS = (Block("title", "words", 1, 1), Block("both", "words", 1, 1))
_SIMILARITY = 0.6  # from which on two listings are in one fold


def audit_labels(listings: pd.DataFrame, rules: AuditRules, seed: int) -> pd.DataFrame:
    """Return the listings of a clean table whose label is probably wrong (`COLUMNS`), the most suspicious first.

    Labels of reviewers and of users are used, and not doubted. Raises `ValueError` with fewer than two types.
    """
    listings = doubted(listings, rules).reset_index(drop=True)
    types, given = np.unique(listings["prdtypecode"].to_numpy(), return_inverse=True)
    if len(types) < 2:
        raise ValueError(f"all listings have the type {types.tolist()}: at least two types are needed")
    confidence, learned = out_of_fold_confidence(listings, given, rules.folds, seed)
    believed = believed_types(confidence, given)
    rows = np.flatnonzero((believed != NO_ERROR) & learned & (listings["origin"] == "listing").to_numpy())
    suspects = listings.loc[rows, ["text_key", "designation"]].assign(
        given_code=types[given[rows]],
        proposed_code=types[believed[rows]],
        given_confidence=confidence[rows, given[rows]],
        proposed_confidence=confidence[rows, believed[rows]],
    )
    margin = suspects["proposed_confidence"] - suspects["given_confidence"]
    suspects["sure"] = margin >= rules.sure
    return suspects.loc[margin.sort_values(ascending=False, kind="stable").index, COLUMNS].reset_index(drop=True)


def doubted(listings: pd.DataFrame, rules: AuditRules) -> pd.DataFrame:
    """Return the listings that are audited: all, or only the train rows where `rules` change labels.

    So no label of the test can reach the training.
    """
    return listings[listings["split"] == "train"] if rules.cleans else listings


def without_errors(listings: pd.DataFrame, suspects: pd.DataFrame, rules: AuditRules) -> pd.DataFrame:
    """Return the listings to train on: the sure suspects among the train rows are dropped or corrected, by the rules.

    Validation and test rows stay as they are: scores on corrected labels would flatter the model.
    """
    sure = suspects[suspects["sure"]].set_index("text_key")["proposed_code"]
    wrong = (listings["split"] == "train") & listings["text_key"].isin(sure.index)
    if rules.in_training == "drop":
        return listings[~wrong].reset_index(drop=True)
    if rules.in_training == "correct":
        proposed = listings["text_key"].map(sure)
        return listings.assign(prdtypecode=listings["prdtypecode"].where(~wrong, proposed).astype("int64"))
    return listings


def out_of_fold_confidence(
    listings: pd.DataFrame, given: Columns, folds: int, seed: int
) -> tuple[Confidence, NDArray[np.bool_]]:
    """Return the confidence in each type by models that do not know the listing (listings x types, rows sum to 1).

    And whether the model knew the listing's own type: that of a rare type may not.
    """
    matrix = _word_matrix(listings)
    groups = Shingles.of(text_forms(listings)).groups(_SIMILARITY)
    fold = np.random.default_rng(seed).integers(0, folds, groups.max() + 1)[groups]
    types = int(given.max()) + 1
    scores = np.full((len(given), types), -np.inf)
    for number in range(folds):
        held_out, known = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        classes = np.unique(given[known])
        if len(held_out) and len(classes) > 1:
            # Its default would be the primal solver where there are fewer terms than listings: up to 50 times slower.
            machine = LinearSVC(C=0.2, tol=0.05, dual=True, random_state=seed).fit(matrix[known], given[known])
            found = machine.decision_function(matrix[held_out])
            scores[np.ix_(held_out, classes)] = found if found.ndim == 2 else np.stack([-found, found], axis=1)
    learned = np.isfinite(scores[np.arange(len(given)), given])
    confidence = np.zeros(scores.shape)
    if learned.any():
        confidence[learned] = softmax(scores[learned] * _temperature(scores[learned], given[learned]), axis=1)
    return confidence, learned


def _word_matrix(listings: pd.DataFrame) -> sparse.csr_matrix:
    """Return the words of title and text, weighted (listings x words). Labels have no part in it."""
    titles, texts = (
        [words(normalise(text)) if isinstance(text, str) else [] for text in listings[field]]
        for field in ("designation", "description")
    )
    parts = [
        fit_block(block, [block.tokens(*pair) for pair in zip(titles, texts, strict=True)])[1] for block in _BLOCKS
    ]
    return sparse.hstack(parts, format="csr", dtype=np.float64)


def _temperature(scores: Confidence, given: Columns) -> float:
    """Return the factor that makes the labels most likely (as `ProductTypeClassifier.calibrate`)."""
    rows = np.arange(len(given))

    def negative_log_likelihood(log_factor: float) -> float:
        scaled = scores * np.exp(log_factor)
        return float(np.mean(logsumexp(scaled, axis=1) - scaled[rows, given]))

    return float(np.exp(minimize_scalar(negative_log_likelihood, bounds=(-3, 5), method="bounded").x))
