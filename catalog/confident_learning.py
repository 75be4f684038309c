"""Confident learning: which given labels are probably wrong, by out-of-fold confidence.

Source: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021: the off-diagonal
entries of the confident joint (section 3.1). A type's threshold is the mean confidence in it on the listings that are
labelled with it. So a type that the model knows badly needs less confidence than one that it knows well.
"""

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.intp]
NO_ERROR = -1


def believed_types(confidence: NDArray[np.float64], given: Columns) -> Columns:
    """Return the type that each listing probably has, where it is another one than the given one; else `NO_ERROR`.

    `confidence` (listings x types, rows sum to 1) must come from models that were not trained on the listing. `given`
    has the column of each listing's label. A type without a listing is never believed.
    """
    listings, types = confidence.shape
    own = confidence[np.arange(listings), given]
    counts = np.bincount(given, minlength=types)
    means = np.bincount(given, weights=own, minlength=types) / np.maximum(counts, 1)
    thresholds = np.where(counts > 0, means, np.inf)
    above = np.where(confidence >= thresholds, confidence, -1.0)
    believed: Columns = above.argmax(axis=1)
    return np.where((above.max(axis=1) > 0) & (believed != given), believed, NO_ERROR)
