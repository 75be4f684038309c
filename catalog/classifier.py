"""The product-type classifier: a linear model over TF-IDF blocks, with calibrated confidence.

model = ProductTypeClassifier(seed=0).fit(titles, descriptions, codes)
model.calibrate(held_out_titles, held_out_descriptions, held_out_codes)
model.predict(["Piscine gonflable ronde"], [None])        # array([2583])
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from catalog.features import Block, FittedBlock, Tokens, fit_block, transform_block
from catalog.text import normalise, words

Codes = NDArray[np.int64]
Scores = NDArray[np.float64]
Texts = Sequence[str | None]

# What a saved classifier may contain besides numbers and strings: the whole list, whatever a file asks for.
TRUSTED_TYPES = [
    "catalog.classifier.ProductTypeClassifier",
    "catalog.features.Block",
    "catalog.features.FittedBlock",
]

# The title on its own, and both fields pooled: what a word means in a title and what it means anywhere are learned side
# by side (as in Daumé III, "Frustratingly Easy Domain Adaptation", 2007), which pays where descriptions are missing.
DEFAULT_BLOCKS = (
    Block("title", "words", 1, 2, minimum_listings=1),
    Block("title", "characters", 2, 5),
    Block("both", "words", 1, 2),
    Block("both", "characters", 3, 5),
)
# For the support vector machines, where the matrix is worth their start (non-zero entries). No threads: liblinear draws
# from one random state a process, and two that share it never give the same model twice.
_PROCESSES, _WORTH_PROCESSES = 2, 15_000_000
_TOLERANCE = 0.01  # scores are within 0.001 of those at liblinear's 0.0001, for a tenth less time


class ProductTypeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Linear one-against-the-rest classifier of listings.

    `solver` `svm` is liblinear's support vector machine with squared hinge loss (`C`); `logistic` is stochastic
    gradient descent on the logistic loss (`alpha`), as the replaced system used. Confidence is the softmax of the
    scores times one temperature, fitted on held-out listings by `calibrate` (Guo et al., "On Calibration of Modern
    Neural Networks", 2017); it never changes which type comes first. Same seed and listings, same model.
    """

    def __init__(
        self,
        *,
        blocks: Sequence[Block] = DEFAULT_BLOCKS,
        solver: Literal["svm", "logistic"] = "svm",
        C: float = 0.2,
        alpha: float = 1e-6,
        class_weight: Literal["balanced"] | None = None,
        seed: int = 0,
    ) -> None:
        self.blocks = blocks
        self.solver = solver
        self.C = C
        self.alpha = alpha
        self.class_weight = class_weight
        self.seed = seed

    def fit(self, titles: Texts, descriptions: Texts, codes: ArrayLike) -> Self:
        """Learn from listings (`n` titles, descriptions or None, integer codes).

        Raises `ValueError` when the lengths differ or there are fewer than two types.
        """
        targets = np.asarray(codes, dtype=np.int64)
        if not len(titles) == len(descriptions) == len(targets):
            raise ValueError(
                f"{len(titles)} titles, {len(descriptions)} descriptions and {len(targets)} codes: lengths must agree"
            )
        self.classes_: Codes = np.unique(targets)
        if len(self.classes_) < 2:
            raise ValueError(f"all listings have the type {self.classes_.tolist()}: at least two types are needed")
        fields = _Fields(titles, descriptions)
        fitted = [fit_block(block, fields.tokens(block.field)) for block in self.blocks]
        self.fitted_blocks_: list[FittedBlock] = [block for block, _ in fitted]
        # In the solvers' own precision: they would copy anything else, liblinear once a type.
        matrix = sparse.hstack([part for _, part in fitted], format="csr", dtype=np.float64)
        del fields, fitted
        coefficients, self.intercept_ = self._solve(matrix, np.searchsorted(self.classes_, targets))
        # Terms x types: a listing's score gathers the rows of its own few terms.
        self.coef_: NDArray[np.float32] = np.ascontiguousarray(coefficients.T, dtype=np.float32)
        self.temperature_ = 1.0
        return self

    def calibrate(self, titles: Texts, descriptions: Texts, codes: ArrayLike) -> Self:
        """Fit the temperature on held-out listings: the one that makes their true types most likely.

        Listings of types that the model does not know are left out; without any other the temperature stays as it was.
        """
        targets = np.asarray(codes, dtype=np.int64)
        known = np.flatnonzero(np.isin(targets, self.classes_))
        if len(known) == 0:
            return self
        scores = self.decision_function(titles, descriptions)[known]
        columns = np.searchsorted(self.classes_, targets[known])

        def negative_log_likelihood(log_temperature: float) -> float:
            scaled = scores * np.exp(log_temperature)
            return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(columns)), columns]))

        self.temperature_ = float(np.exp(minimize_scalar(negative_log_likelihood, bounds=(-3, 5), method="bounded").x))
        return self

    def decision_function(self, titles: Any, descriptions: Texts | None = None) -> Scores:
        """Return the scores (listings x types, in the order of `classes_`)."""
        fields = _Fields(*_two_columns(titles, descriptions))
        matrix = sparse.hstack(
            [transform_block(block, fields.tokens(block.block.field)) for block in self.fitted_blocks_], format="csr"
        )
        return np.asarray(matrix @ self.coef_, dtype=np.float64) + self.intercept_

    def predict(self, titles: Any, descriptions: Texts | None = None) -> Codes:
        """Return the most likely code of each listing.

        `titles` may also be a table with the columns `designation` and `description`, as trackers and registries hand
        it over.
        """
        return cast(Codes, self.classes_[self.decision_function(titles, descriptions).argmax(axis=1)])

    def predict_proba(self, titles: Any, descriptions: Texts | None = None) -> Scores:
        """Return the confidence in each type (listings x types, rows sum to 1)."""
        return cast(Scores, softmax(self.decision_function(titles, descriptions) * self.temperature_, axis=1))

    def export(self, folder: Path) -> None:
        """Write the numbers of the model into an existing folder, as `catalog.predictor` reads them."""
        for number, fitted in enumerate(self.fitted_blocks_):
            (folder / f"terms-{number}.txt").write_text(fitted.joined_terms, encoding="utf-8")
        blocks = [asdict(fitted.block) for fitted in self.fitted_blocks_]
        (folder / "blocks.json").write_text(json.dumps(blocks, indent=2), encoding="utf-8")
        np.save(folder / "idf.npy", np.concatenate([fitted.idf for fitted in self.fitted_blocks_]))
        np.save(folder / "coefficients.npy", self.coef_)
        np.save(folder / "intercept.npy", np.asarray(self.intercept_, dtype=np.float64))
        np.save(folder / "classes.npy", self.classes_)

    def _solve(self, matrix: sparse.csr_matrix, columns: NDArray[np.intp]) -> tuple[Scores, Scores]:
        """Return coefficients (types x terms) and intercepts (types)."""
        if self.solver == "logistic":
            model = SGDClassifier(
                loss="log_loss", alpha=self.alpha, class_weight=self.class_weight, random_state=self.seed, n_jobs=-1
            ).fit(matrix, columns)
            coefficients, intercepts = model.coef_, model.intercept_
        else:
            machine = LinearSVC(C=self.C, tol=_TOLERANCE, class_weight=self.class_weight, random_state=self.seed)
            processes = _PROCESSES if matrix.nnz > _WORTH_PROCESSES else 1
            machines = OneVsRestClassifier(machine, n_jobs=processes).fit(matrix, columns).estimators_
            coefficients = np.vstack([fitted.coef_ for fitted in machines])
            intercepts = np.concatenate([fitted.intercept_ for fitted in machines])
        if len(self.classes_) == 2:  # scikit-learn solves two types once
            return np.vstack([-coefficients, coefficients]), np.concatenate([-intercepts, intercepts])
        return coefficients, intercepts


class _Fields:
    """The words of a batch of listings by field, each split once however many blocks read it."""

    def __init__(self, titles: Texts, descriptions: Texts) -> None:
        self._tokens = {"title": _tokenise(titles), "description": _tokenise(descriptions)}

    def tokens(self, field: str) -> Tokens:
        if field not in self._tokens:
            pairs = zip(self._tokens["title"], self._tokens["description"], strict=True)
            self._tokens[field] = [title + description for title, description in pairs]
        return self._tokens[field]


def _tokenise(texts: Texts) -> Tokens:
    # A missing text is None, NaN or NA, depending on where the table came from.
    return [words(normalise(text)) if isinstance(text, str) else [] for text in texts]


def _two_columns(titles: Any, descriptions: Texts | None) -> tuple[Texts, Texts]:
    if descriptions is not None:
        return titles, descriptions
    if hasattr(titles, "columns"):
        return titles["designation"], titles["description"]
    return titles, [None] * len(titles)


def _answer_from_files(model: str, rows: str, answers: str) -> None:
    """Load a saved classifier and write its codes for a parquet table of listings as npy."""
    import pandas as pd
    import skops.io

    classifier = skops.io.load(model, trusted=TRUSTED_TYPES)
    np.save(answers, classifier.predict(pd.read_parquet(rows)))


if __name__ == "__main__":
    # How a version in the registry is asked by the code that it was trained with: see steps/registry.py.
    import sys

    from catalog.classifier import _answer_from_files as answer

    answer(*sys.argv[1:])
