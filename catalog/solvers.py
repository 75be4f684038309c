"""Ways to fit a linear model to a matrix of listings, each of which gives one score a type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

Scores = NDArray[np.float64]
ClassWeight = Literal["balanced"] | None

# The support vector machines are fitted in so many processes when the matrix has more non-zero entries than this; for
# smaller ones it takes longer to start processes. They are not threads: liblinear has one random state a process, and
# two threads that share it never give the same model twice.
_PROCESSES, _ENTRIES_FOR_PROCESSES = 2, 15_000_000
_TOLERANCE = 0.1  # a quarter faster than liblinear's default 0.0001, with the same F1 to three digits
_ROWS_OF_SPREAD = 2_000


@dataclass(frozen=True)
class Rows:
    """Listings: a matrix (listings x terms), and the place of each one's type (-1: one that training lacks)."""

    matrix: sparse.csr_matrix
    types: NDArray[np.intp]

    def chosen(self, places: NDArray[np.intp]) -> Self:
        """Return the listings at these places."""
        return type(self)(self.matrix[places], self.types[places])


@dataclass(frozen=True)
class Linear:
    """A linear model: coefficients (terms x types, since a listing needs the rows of its terms), intercepts (types)."""

    coefficients: NDArray[np.float32]
    intercepts: Scores

    def scores(self, matrix: sparse.csr_matrix) -> Scores:
        """Return the scores of listings (listings x types)."""
        return np.asarray(matrix @ self.coefficients, dtype=np.float64) + self.intercepts

    def spread(self, rows: Rows) -> float:
        """Return the standard deviation of the scores of a listing, measured on some of these listings."""
        scores = self.scores(rows.matrix[:: max(len(rows.types) // _ROWS_OF_SPREAD, 1)])
        return float((scores - scores.mean(axis=1, keepdims=True)).std())

    def scaled(self, factor: float) -> Self:
        """Return the model with its scores multiplied."""
        return type(self)(self.coefficients * np.float32(factor), self.intercepts * factor)


def mix(one: Linear, other: Linear, share: float) -> Linear:
    """Return the linear model whose scores are those of both: `share` of the other one, the rest of the first."""
    coefficients = one.coefficients * np.float32(1 - share)
    coefficients += other.coefficients * np.float32(share)
    return Linear(coefficients, one.intercepts * (1 - share) + other.intercepts * share)


def support_vectors(rows: Rows, C: float, class_weight: ClassWeight, seed: int) -> Linear:
    """Fit liblinear's support vector machine with squared hinge loss, one type against the rest.

    There are at least two types, and all occur.
    """
    machine = LinearSVC(C=C, tol=_TOLERANCE, class_weight=class_weight, random_state=seed)
    processes = _PROCESSES if rows.matrix.nnz > _ENTRIES_FOR_PROCESSES else 1
    machines = OneVsRestClassifier(machine, n_jobs=processes).fit(rows.matrix, rows.types).estimators_
    return _linear([fitted.coef_ for fitted in machines], np.concatenate([fitted.intercept_ for fitted in machines]))


def logistic(rows: Rows, alpha: float, class_weight: ClassWeight, seed: int) -> Linear:
    """Fit the logistic loss by stochastic gradient descent, one type against the rest."""
    model = SGDClassifier(loss="log_loss", alpha=alpha, class_weight=class_weight, random_state=seed, n_jobs=-1)
    model.fit(rows.matrix, rows.types)
    return _linear([model.coef_], model.intercept_)


class ComplementBayes:
    """Complement naive Bayes (Rennie et al., "Tackling the Poor Assumptions of Naive Bayes Text Classifiers", 2003).

    It counts once; `fit` then needs logarithms only. scikit-learn's gives the same answers, but counts each time.
    """

    def __init__(self, rows: Rows) -> None:
        count = len(rows.types)
        members = sparse.csr_matrix((np.ones(count), (rows.types, np.arange(count))))
        self._of_type: Scores = (members @ rows.matrix).T.toarray()

    def fit(self, smoothing: float) -> Linear:
        """Return the model; each term's coefficients have the mean 0, so that they say for which types it speaks."""
        complement = self._of_type.sum(axis=1, keepdims=True) + smoothing - self._of_type
        sums = complement.sum(axis=0)
        coefficients = np.log(complement, out=complement)
        coefficients -= np.log(sums)
        coefficients -= coefficients.mean(axis=1, keepdims=True)
        return Linear((-coefficients).astype(np.float32), np.zeros(len(sums)))


def _linear(coefficients: Sequence[Scores], intercepts: Scores) -> Linear:
    """Return a model of coefficients (types x terms, in parts)."""
    stacked = np.vstack(coefficients)
    if len(stacked) == 1:  # scikit-learn fits one machine for two types
        stacked, intercepts = np.vstack([-stacked, stacked]), np.concatenate([-intercepts, intercepts])
    return Linear(np.ascontiguousarray(stacked.T, dtype=np.float32), np.asarray(intercepts, dtype=np.float64))
