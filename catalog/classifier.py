"""The product-type classifier: a linear model over TF-IDF blocks, with calibrated confidence.

model = ProductTypeClassifier(seed=0).fit(titles, descriptions, codes)
model.calibrate(held_out_titles, held_out_descriptions, held_out_codes)
model.predict(["Piscine gonflable ronde"], [None])        # array([2583])
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from catalog.blocks import Block, Field
from catalog.features import FittedBlock, Tokens, fit_block, restrict_block, side_by_side, transform_block
from catalog.model_folder import ModelArrays, write_blocks
from catalog.selection import most_informative
from catalog.sentence_vectors import ENCODER
from catalog.solvers import ClassWeight, Linear, Rows, Scores, logistic
from catalog.sweep import Choices, fit_blend
from catalog.text import normalise, words
from catalog.vector_machine import VectorMachine, encode_listings, vector_scores

Codes = NDArray[np.int64]
Texts = Sequence[str | None]
Listings = tuple[Texts, Texts, ArrayLike]  # titles, descriptions or None, integer codes
Values = float | Sequence[float]  # of a setting: one, or several of which the first is the default

# The only types that a saved classifier may contain besides numbers and strings, whatever the file asks for.
TRUSTED_TYPES = [
    "catalog.blocks.Block",
    "catalog.classifier.ProductTypeClassifier",
    "catalog.features.FittedBlock",
]

# Title and description are read together, so that a listing that lacks one of them is still read by all terms. Training
# keeps terms of a single listing too: they take up what is special to it, and the others learn what types share.
DEFAULT_BLOCKS = (
    Block("both", "words", 1, 2, minimum_listings=1, weight=0.7),
    Block("both", "characters", 2, 5, minimum_listings=1),
)


class ProductTypeClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Linear classifier of listings.

    `solver` `blend` mixes liblinear's support vector machine with squared hinge loss (`C`) and complement naive Bayes
    (`smoothing`), whose part is `bayes_share`: 0 is the machine alone, 1 is Bayes alone. Both are linear, so the mix
    is one model. Each of the three may have several values; see `fit`. Few listings are fitted by ridge regression in
    the place of the machine (`catalog.ridge`), which has no `C`. `logistic` is stochastic gradient descent on
    the logistic loss (`alpha`), as the replaced system used.

    `vector_share` is the part that a machine on the sentence vectors of titles (`catalog.sentence_vectors`) has in the
    scores. It may have several values too. The encoder is loaded only if one of them is above 0.

    A model has at most `maximum_coefficients` numbers of 4 bytes: with many types, only the terms that say the most
    about them are kept.

    Confidence is the softmax of the scores times one temperature, which `calibrate` fits on held-out listings (Guo et
    al., "On Calibration of Modern Neural Networks", 2017). The temperature never changes which type comes first. The
    same seed and listings give the same model.
    """

    def __init__(
        self,
        *,
        blocks: Sequence[Block] = DEFAULT_BLOCKS,
        solver: Literal["blend", "logistic"] = "blend",
        C: Values = 0.5,
        smoothing: Values = 0.01,
        bayes_share: Values = 0.5,
        vector_share: Values = 0.0,
        alpha: float = 1e-6,
        class_weight: ClassWeight = None,
        maximum_coefficients: int = 64_000_000,
        seed: int = 0,
    ) -> None:
        self.blocks = blocks
        self.solver = solver
        self.C = C
        self.smoothing = smoothing
        self.bayes_share = bayes_share
        self.vector_share = vector_share
        self.alpha = alpha
        self.class_weight = class_weight
        self.maximum_coefficients = maximum_coefficients
        self.seed = seed

    def fit(self, titles: Texts, descriptions: Texts, codes: ArrayLike, validation: Listings | None = None) -> Self:
        """Learn from listings (`n` titles, descriptions or None, integer codes).

        Of settings with several values, those that are best on the `validation` listings are taken, and without these
        the first ones. They are then in `C_`, `smoothing_`, `bayes_share_` and `vector_share_`. Raises `ValueError`
        when the lengths differ or there are fewer than two types, and `EncoderError` if sentence vectors are asked for
        and their encoder is not installed.
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
        fitted = [fit_block(block, fields.tokens(block)) for block in self.blocks]
        del fields
        rows = Rows(_joined(fitted), np.searchsorted(self.classes_, targets))
        terms = self.maximum_coefficients // len(self.classes_)
        if rows.matrix.shape[1] > terms:
            fitted = _restricted(fitted, most_informative(rows, terms))
            rows = Rows(_joined(fitted), rows.types)
        self.fitted_blocks_: list[FittedBlock] = [block for block, _ in fitted]
        del fitted
        held_out = self._held_out(validation)
        model = self._solve(rows, held_out)
        self._add_vectors(model, rows, (titles, descriptions), validation, held_out)
        self.coef_: NDArray[np.float32] = model.coefficients
        self.intercept_: Scores = model.intercepts
        self.temperature_ = 1.0
        return self

    def calibrate(self, titles: Texts, descriptions: Texts, codes: ArrayLike) -> Self:
        """Fit the temperature on held-out listings: the value that makes their true types most likely.

        Listings of types that the model does not know are ignored. When there are no others, the temperature does not
        change.
        """
        return self.calibrate_scores(self.decision_function(titles, descriptions), codes)

    def calibrate_scores(self, scores: Scores, codes: ArrayLike) -> Self:
        """Do what `calibrate` does for listings with these scores, which are then computed once."""
        targets = np.asarray(codes, dtype=np.int64)
        known = np.flatnonzero(np.isin(targets, self.classes_))
        if len(known) == 0:
            return self
        of_known = scores[known]
        columns = np.searchsorted(self.classes_, targets[known])

        def negative_log_likelihood(log_temperature: float) -> float:
            scaled = of_known * np.exp(log_temperature)
            return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(columns)), columns]))

        self.temperature_ = float(np.exp(minimize_scalar(negative_log_likelihood, bounds=(-3, 5), method="bounded").x))
        return self

    def decision_function(self, titles: Any, descriptions: Texts | None = None) -> Scores:
        """Return the scores (listings x types, in the order of `classes_`)."""
        texts = _two_columns(titles, descriptions)
        scores = Linear(self.coef_, self.intercept_).scores(self._matrix(*texts))
        if self.vector_coef_ is not None:
            scores += vector_scores(encode_listings(*texts, self.encoder_), self.vector_coef_)
        return scores

    def predict(self, titles: Any, descriptions: Texts | None = None) -> Codes:
        """Return the most likely code of each listing.

        `titles` may also be a table with the columns `designation` and `description`: experiment trackers and
        registries pass one.
        """
        return cast(Codes, self.classes_[self.decision_function(titles, descriptions).argmax(axis=1)])

    def predict_proba(self, titles: Any, descriptions: Texts | None = None) -> Scores:
        """Return the confidence in each type (listings x types, rows sum to 1)."""
        return self.confidences(self.decision_function(titles, descriptions))

    def confidences(self, scores: Scores) -> Scores:
        """Return what `predict_proba` does for listings with these scores."""
        return cast(Scores, softmax(scores * self.temperature_, axis=1))

    def export(self, folder: Path) -> None:
        """Write the model into an existing folder, for `catalog.predictor`. Its manifest is written by the caller."""
        blocks = self.fitted_blocks_
        write_blocks(folder, [fitted.block for fitted in blocks], [fitted.joined_terms for fitted in blocks])
        ModelArrays(
            idf=np.concatenate([fitted.idf for fitted in blocks]),
            coefficients=self.coef_,
            intercept=np.asarray(self.intercept_, dtype=np.float64),
            classes=self.classes_,
            vectors=self.vector_coef_,
        ).write(folder)

    def _matrix(self, titles: Texts, descriptions: Texts) -> sparse.csr_matrix:
        fields = _Fields(titles, descriptions)
        return side_by_side([transform_block(fitted, fields.tokens(fitted.block)) for fitted in self.fitted_blocks_])

    def _held_out(self, validation: Listings | None) -> Rows | None:
        """Return the validation listings, if a setting is chosen by them."""
        if validation is None or len(validation[0]) == 0 or (self.solver == "logistic" and not self._shares_of_vectors):
            return None
        titles, descriptions, codes = validation
        places = {code: place for place, code in enumerate(self.classes_.tolist())}
        types = np.array([places.get(code, -1) for code in np.asarray(codes).tolist()], dtype=np.intp)
        return Rows(self._matrix(titles, descriptions), types)

    def _solve(self, train: Rows, held_out: Rows | None) -> Linear:
        if self.solver == "logistic":
            return logistic(train, self.alpha, self.class_weight, self.seed)
        choices = Choices(_values(self.C), _values(self.smoothing), _values(self.bayes_share))
        blend = fit_blend(train, held_out, choices, self.class_weight, self.seed)
        self.C_, self.smoothing_, self.bayes_share_ = blend.strength, blend.smoothing, blend.share
        return blend.model

    @property
    def _shares_of_vectors(self) -> Sequence[float]:
        """The values of `vector_share`, or none if all are 0."""
        shares = _values(self.vector_share)
        return shares if max(shares) > 0 else []

    def _add_vectors(
        self, model: Linear, train: Rows, texts: tuple[Texts, Texts], validation: Listings | None, held_out: Rows | None
    ) -> None:
        """Mix a machine on sentence vectors into the model, with the share that is best on validation."""
        self.vector_share_: float = 0.0
        self.vector_coef_: NDArray[np.float32] | None = None
        self.encoder_ = ""
        shares = self._shares_of_vectors
        if not shares:
            return
        machine = VectorMachine(encode_listings(*texts), train, model, self.class_weight, self.seed)
        share = shares[0]
        if validation is not None and held_out is not None:
            vectors, of_terms = encode_listings(*validation[:2]), model.scores(held_out.matrix)
            share = machine.choose_share(vectors, held_out.types, of_terms, shares)
        if share > 0:
            model.scale(1 - share)
            np.add(model.intercepts, share * machine.intercepts, out=model.intercepts)
            self.vector_coef_ = machine.coefficients * np.float32(share)
            self.vector_share_, self.encoder_ = share, ENCODER


def _joined(fitted: Sequence[tuple[FittedBlock, sparse.csr_matrix]]) -> sparse.csr_matrix:
    return side_by_side([part for _, part in fitted])


def _restricted(
    fitted: Sequence[tuple[FittedBlock, sparse.csr_matrix]], kept: NDArray[np.intp]
) -> list[tuple[FittedBlock, sparse.csr_matrix]]:
    """Return the blocks with only the terms in these columns of the joined matrix."""
    ends = np.cumsum([part.shape[1] for _, part in fitted])
    own = np.split(kept, np.searchsorted(kept, ends[:-1]))
    starts = [0, *ends[:-1].tolist()]
    return [
        restrict_block(block, part, columns - start)
        for (block, part), columns, start in zip(fitted, own, starts, strict=True)
    ]


class _Fields:
    """The words of a batch of listings. Each text is split once, however many blocks read it."""

    def __init__(self, titles: Texts, descriptions: Texts) -> None:
        self._titles, self._descriptions = _tokenise(titles), _tokenise(descriptions)
        self._of_field: dict[Field, Tokens] = {}

    def tokens(self, block: Block) -> Tokens:
        if block.field not in self._of_field:
            listings = zip(self._titles, self._descriptions, strict=True)
            self._of_field[block.field] = [block.tokens(*listing) for listing in listings]
        return self._of_field[block.field]


def _tokenise(texts: Texts) -> Tokens:
    # A missing text is None, NaN or NA, depending on the origin of the table.
    return [words(normalise(text)) if isinstance(text, str) else [] for text in texts]


def _values(setting: Values) -> Sequence[float]:
    return [float(setting)] if isinstance(setting, (int, float)) else list(setting)


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
    # A version of the registry classifies listings with the code that it was trained with: see tracking/champion.py.
    import sys

    from catalog.classifier import _answer_from_files as answer

    answer(*sys.argv[1:])
