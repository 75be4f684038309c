"""Ridge regression for few listings, solved exactly between listings instead of terms."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from catalog.solvers import Linear, Rows

# Time and memory grow with the square of the listings and more: 3,000 take 220 MB. Up to this number it is as fast as
# the support vector machine or faster.
MAXIMUM_LISTINGS = 3_000
_PENALTY = 0.1


def ridge(rows: Rows) -> Linear:
    """Fit squared loss on 1 for the listing's own type and -1 for all others; the intercepts are not penalised.

    The coefficients are a sum of listings, so that there are as many unknowns as listings (C. Saunders et al., "Ridge
    Regression Learning Algorithm in Dual Variables", 1998). The solution is that of scikit-learn's `RidgeClassifier`.
    """
    listings, types = len(rows.types), int(rows.types.max()) + 1
    targets = np.where(rows.types[:, np.newaxis] == np.arange(types), 1.0, -1.0)
    of_targets = targets.mean(axis=0)
    products = (rows.matrix @ rows.matrix.T).toarray()
    means = products.mean(axis=1)
    products += means.mean() - means[:, np.newaxis] - means  # as if the mean of all listings were taken off each
    products[np.diag_indices(listings)] += _PENALTY
    weights = cho_solve(cho_factor(products, overwrite_a=True), targets - of_targets)
    weights -= weights.mean(axis=0)
    coefficients = rows.matrix.T @ weights
    intercepts = of_targets - np.asarray(rows.matrix.mean(axis=0)).ravel() @ coefficients
    return Linear(np.ascontiguousarray(coefficients, dtype=np.float32), intercepts)
