"""How good predictions are: F1 and confusion counts, and the same for resampled rows.

Scores of one set of predictions are scikit-learn's. The bootstraps score thousands of resamples at once, which
scikit-learn cannot: `resampled_f1` does that from counts.
"""

import numpy as np
from numpy.typing import NDArray

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


def confusion_counts(codes: Codes, predicted: Codes) -> tuple[Codes, Counts]:
    """Return the types that occur (ascending) and the number of rows of each pair (true x predicted)."""
    from sklearn.metrics import confusion_matrix

    types = np.union1d(codes, predicted)
    counts: Counts = confusion_matrix(codes, predicted, labels=types)
    return types, counts


def resampled_f1(true: Codes, predicted: Codes, draws: Counts) -> tuple[Floats, Counts]:
    """Return the F1 of each type in each resample (resamples x types), and how many rows of the type it has.

    `true` and `predicted` are the types of groups of interchangeable rows; `draws` (resamples x groups) says how many
    rows of each group a resample has. The types are all that occur, in ascending order.
    """
    types = np.union1d(true, predicted)
    is_true, is_predicted = true[:, np.newaxis] == types, predicted[:, np.newaxis] == types
    rows: Counts = draws @ is_true
    f1: Floats = 2 * (draws @ (is_true & is_predicted)) / np.maximum(rows + draws @ is_predicted, 1)
    return f1, rows


def weighted_mean_f1(f1: Floats, rows: Counts) -> Floats:
    """Return the weighted F1 of each resample, from what `resampled_f1` returned."""
    result: Floats = (f1 * rows).sum(axis=1) / rows.sum(axis=1)
    return result
