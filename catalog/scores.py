"""How good predictions are: F1 and confusion counts, and the same for resampled rows.

Scores of one set of predictions are scikit-learn's. The bootstraps score thousands of resamples at once, which
scikit-learn cannot: `resampled_f1` does that from counts.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.959963984540054  # of a two-sided interval of 95 %

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


def weighted_f1(codes: Codes, predicted: Codes, weights: Floats | None = None) -> float:
    """Return the F1 of the types, weighted by their rows (or by the sum of their rows' `weights`)."""
    from sklearn.metrics import f1_score

    return float(f1_score(codes, predicted, average="weighted", sample_weight=weights, zero_division=0))


def f1_by_type(codes: Codes, predicted: Codes, types: Codes) -> Floats:
    """Return the F1 of each of these types, in their order; 0 for a type that is neither true nor predicted."""
    from sklearn.metrics import f1_score

    if len(types) == 0:
        return np.zeros(0)
    scores: Floats = f1_score(codes, predicted, labels=types, average=None, zero_division=0)
    return scores


@dataclass(frozen=True)
class Confusion:
    """How many rows each pair of types has that occurs: of n types at most as many pairs as rows, not n squared.

    `types` are ascending; `true` and `predicted` are places in it, one a pair, in ascending order.
    """

    types: Codes
    true: Codes
    predicted: Codes
    rows: Counts


def count_confusion(codes: Codes, predicted: Codes) -> Confusion:
    """Count the rows of each pair of a true and a predicted type."""
    types, places = np.unique(np.concatenate([codes, predicted]), return_inverse=True)
    pairs, rows = np.unique(places[: len(codes)] * len(types) + places[len(codes) :], return_counts=True)
    return Confusion(types, pairs // len(types), pairs % len(types), rows)


def resampled_f1(true: Codes, predicted: Codes, draws: Counts) -> tuple[Floats, Counts]:
    """Return the F1 of each type in each resample (resamples x types), and how many rows of the type it has.

    `true` and `predicted` are the types of groups of interchangeable rows; `draws` (resamples x groups) says how many
    rows of each group a resample has. The types are all that occur, in ascending order.

    Each draw is added to its two types, so the work grows with the groups and not with groups times types.
    """
    from scipy import sparse

    types, places = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    of_true, of_predicted = places[: len(true)], places[len(true) :]
    groups = np.arange(len(true))

    def summed(of_type: Codes, chosen: Codes) -> Counts:
        ones = np.ones(len(chosen), dtype=np.int64)
        members = sparse.csr_matrix((ones, (of_type[chosen], chosen)), shape=(len(types), len(true)))
        sums: Counts = (members @ draws.T).T
        return sums

    rows = summed(of_true, groups)
    right = summed(of_true, groups[of_true == of_predicted])
    f1: Floats = 2 * right / np.maximum(rows + summed(of_predicted, groups), 1)
    return f1, rows


def weighted_mean_f1(f1: Floats, rows: Counts) -> Floats:
    """Return the weighted F1 of each resample, from what `resampled_f1` returned."""
    result: Floats = (f1 * rows).sum(axis=1) / rows.sum(axis=1)
    return result


def wilson_interval(share: float, trials: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share (E. B. Wilson, "Probable Inference, the Law of Succession, and
    Statistical Inference", 1927). It stays within 0 and 1 and is valid for few trials too; `trials` may be fractional.

    Raises `ValueError` without any trial.
    """
    if not 0 <= share <= 1 or trials <= 0:
        raise ValueError(f"{share} of {trials} trials is no share")
    square = _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def f1_interval(right: float, all_rows: float) -> tuple[float, float]:
    """Return the 95 % interval of the F1 of one type: `right` rows of the `all_rows` that have or are given it.

    `right / all_rows` is a share s, and F1 is 2s / (1 + s). So the interval of the share gives that of the F1 (K. F. Y.
    Lam, V. Gopal and J. Qian, "Confidence Intervals for the F1 Score: A Comparison of Four Methods", 2023). It is
    valid for types with few rows, and for F1 0 and 1 too. Raises `ValueError` without any row.
    """
    lower, upper = wilson_interval(right / all_rows if all_rows else 0.0, all_rows)
    return 2 * lower / (1 + lower), 2 * upper / (1 + upper)
