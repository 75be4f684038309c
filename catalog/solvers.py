"""Ways to fit a linear model to a matrix of listings, each of which gives one score a type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC
from sklearn.utils.parallel import Parallel, delayed

Scores = NDArray[np.float64]
ClassWeight = Literal["balanced"] | None

# The support vector machines are fitted in so many processes when the matrix has more non-zero entries than this; for
# smaller ones it takes longer to start processes. They are not threads: liblinear has one random state a process, and
# two threads that share it never give the same model twice.
_PROCESSES, _ENTRIES_FOR_PROCESSES = 2, 15_000_000
_SHARES = 2  # of the types, each fitted in one call; as many with one process, so that the model is the same
_TOLERANCE = 0.1  # a quarter faster than liblinear's default 0.0001, with the same F1 to three digits
_ROWS_OF_SPREAD = 2_000
# With more types than this, a listing is an example for its own type and against some others only: those that naive
# Bayes takes it for first, and some at random. So the time grows with the listings, and hardly with the types.
_TYPES_FOR_ALL, _LIKELY_TYPES, _RANDOM_TYPES = 32, 24, 7
_ROWS_AT_ONCE = 1_000
_SMOOTHING = 0.01  # of this naive Bayes


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
        # In float32: a matrix of float64 would make a copy of all coefficients.
        scores = np.asarray(matrix.astype(np.float32, copy=False) @ self.coefficients, dtype=np.float64)
        scores += self.intercepts
        return scores

    def spread(self, rows: Rows) -> float:
        """Return the standard deviation of the scores of a listing, measured on some of these listings."""
        scores = self.scores(rows.matrix[:: max(len(rows.types) // _ROWS_OF_SPREAD, 1)])
        scores -= scores.mean(axis=1, keepdims=True)
        return float(scores.std())

    def scale(self, factor: float) -> Self:
        """Multiply the scores of this model, and return it."""
        np.multiply(self.coefficients, np.float32(factor), out=self.coefficients)
        np.multiply(self.intercepts, factor, out=self.intercepts)
        return self

    def add(self, other: Self) -> Self:
        """Add the scores of another model to those of this one, and return it."""
        np.add(self.coefficients, other.coefficients, out=self.coefficients)
        np.add(self.intercepts, other.intercepts, out=self.intercepts)
        return self


def support_vectors(rows: Rows, C: float, class_weight: ClassWeight, seed: int, terms: Rows | None = None) -> Linear:
    """Fit liblinear's support vector machine with squared hinge loss, one type against the rest.

    There are at least two types, and all occur. Of many types, the rest is a sample; see `_examples`. `terms`: the same
    listings by their terms, if the rows have no counts of them; the sample is drawn by these.
    """
    machine = LinearSVC(C=C, tol=_TOLERANCE, class_weight=class_weight, random_state=seed)
    if rows.types.max() < _TYPES_FOR_ALL:
        processes = _PROCESSES if rows.matrix.nnz > _ENTRIES_FOR_PROCESSES else 1
        types = int(rows.types.max()) + 1
        shares = np.array_split(np.arange(types), min(_SHARES, types // 2))
        parts = Parallel(n_jobs=processes)(delayed(_against_the_rest)(machine, rows, share) for share in shares)
        return _linear([part for part, _ in parts], np.concatenate([intercepts for _, intercepts in parts]))
    examples = _examples(terms or rows, seed)
    coefficients = np.empty((len(examples), rows.matrix.shape[1]), dtype=np.float32)
    intercepts = np.empty(len(examples))
    for place, own in enumerate(examples):
        chosen = own if (rows.types[own] != place).any() else np.arange(len(rows.types))
        machine.fit(rows.matrix[chosen], rows.types[chosen] == place)
        coefficients[place], intercepts[place] = machine.coef_[0], machine.intercept_[0]
    return Linear(np.ascontiguousarray(coefficients.T), intercepts)


def _against_the_rest(machine: LinearSVC, rows: Rows, types: NDArray[np.intp]) -> tuple[NDArray[np.float32], Scores]:
    """Fit a machine for each of these neighbouring types against all other listings.

    They are fitted in one call, since liblinear makes a copy of the matrix in each. All other types are one more to it.
    Class weights are those of one type against the rest, so with them there is a call for each.
    """
    if machine.class_weight and len(types) > 1:
        parts = [_against_the_rest(machine, rows, types[place : place + 1]) for place in range(len(types))]
        return np.vstack([part for part, _ in parts]), np.concatenate([intercepts for _, intercepts in parts])
    own = (rows.types >= types[0]) & (rows.types <= types[-1])
    machine.fit(rows.matrix, np.where(own, rows.types - types[0] + 1, 0))
    return machine.coef_[-len(types) :].astype(np.float32), machine.intercept_[-len(types) :]


def _examples(rows: Rows, seed: int) -> list[NDArray[np.intp]]:
    """Return of each type the listings to learn it from: its own, and those of other types that are hard to tell apart
    from it or are drawn at random.
    """
    bayes, draw = ComplementBayes(rows).fit(_SMOOTHING), np.random.default_rng(seed)
    listings, types = [np.arange(len(rows.types))], [rows.types]
    for start in range(0, len(rows.types), _ROWS_AT_ONCE):
        scores = bayes.scores(rows.matrix[start : start + _ROWS_AT_ONCE])
        likely = np.argpartition(-scores, _LIKELY_TYPES, axis=1)[:, :_LIKELY_TYPES]
        drawn = draw.integers(0, scores.shape[1], (len(scores), _RANDOM_TYPES))
        types.append(np.hstack([likely, drawn]).ravel())
        listings.append(np.repeat(np.arange(start, start + len(scores)), _LIKELY_TYPES + _RANDOM_TYPES))
    shape = (int(rows.types.max()) + 1, len(rows.types))
    places = np.concatenate(types), np.concatenate(listings)
    pairs = sparse.csr_matrix((np.ones(len(places[0]), dtype=np.int8), places), shape=shape)
    pairs.sort_indices()
    return np.split(pairs.indices.astype(np.intp), pairs.indptr[1:-1])


def logistic(rows: Rows, alpha: float, class_weight: ClassWeight, seed: int) -> Linear:
    """Fit the logistic loss by stochastic gradient descent, one type against the rest."""
    model = SGDClassifier(loss="log_loss", alpha=alpha, class_weight=class_weight, random_state=seed, n_jobs=-1)
    model.fit(rows.matrix.astype(np.float64), rows.types)
    return _linear([model.coef_], model.intercept_)


class ComplementBayes:
    """Complement naive Bayes (Rennie et al., "Tackling the Poor Assumptions of Naive Bayes Text Classifiers", 2003).

    It counts once; `fit` then needs logarithms only, and those only where a type has a term. scikit-learn's gives the
    same answers, but counts each time, and needs several dense matrices.
    """

    def __init__(self, rows: Rows) -> None:
        self._of_type = counts_of_types(rows)

    def fit(self, smoothing: float) -> Linear:
        """Return the model; each term's coefficients have the mean 0, so that they say for which types it speaks."""
        own = self._of_type
        terms, types = own.shape
        total = np.asarray(own.sum(axis=1)).ravel() + smoothing
        of_rest = np.log(total.sum() - np.asarray(own.sum(axis=0)).ravel())
        # What a term says for a type that has it, beyond what it says for all others.
        counted = np.repeat(np.arange(terms), np.diff(own.indptr))
        gains = np.log(total[counted]) - np.log(total[counted] - own.data)
        means = np.bincount(counted, gains, minlength=terms) / types
        coefficients = np.tile((of_rest - of_rest.mean()).astype(np.float32), (terms, 1))
        coefficients -= means.astype(np.float32)[:, np.newaxis]
        coefficients[counted, own.indices] += gains.astype(np.float32)
        return Linear(coefficients, np.zeros(types))


def counts_of_types(rows: Rows) -> sparse.csr_matrix:
    """Return the sum of each term's weights in the listings of each type (terms x types)."""
    count = len(rows.types)
    members = sparse.csr_matrix((np.ones(count), (np.arange(count), rows.types)))
    return (members.T.tocsr() @ rows.matrix).T.tocsr()  # the matrix is large: it is not turned


def _linear(coefficients: Sequence[NDArray[np.floating]], intercepts: Scores) -> Linear:
    """Return a model of coefficients (types x terms, in parts)."""
    stacked = np.vstack(coefficients)
    if len(stacked) == 1:  # scikit-learn fits one machine for two types
        stacked, intercepts = np.vstack([-stacked, stacked]), np.concatenate([-intercepts, intercepts])
    return Linear(np.ascontiguousarray(stacked.T, dtype=np.float32), np.asarray(intercepts, dtype=np.float64))
