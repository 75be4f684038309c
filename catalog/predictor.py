"""The served classifier: it reads a model folder and needs numpy only."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Block, Field, Kind
from catalog.model_folder import CARD, Manifest, ModelArrays, read_blocks, read_terms
from catalog.text import normalise, words
from catalog.vocabulary import Columns, Vocabulary

Weights = NDArray[np.float32]
_Tokens = tuple[list[str], list[str]]  # the words of the title and those of the description
_PIECE = 1_500  # characters of new words that are looked up at a time


@dataclass(frozen=True)
class Classification:
    """The answer for one listing. `abstained`: the confidence is too low to act on it without a person."""

    code: int
    label: str
    confidence: float
    abstained: bool
    top_k: list[tuple[int, str, float]]


@dataclass(frozen=True)
class Reason:
    """What one term of a listing adds to the raw score of a type (negative: subtracts from it).

    `term` is a word, a pair of neighbouring words or, where `kind` is `characters`, an n-gram of a word with `·` where
    the word begins or ends: `·pisc`, `cine·`. `field` is where the term was counted; `both` is title and description
    together.
    """

    term: str
    field: Field
    kind: Kind
    contribution: float


class Predictor:
    """Classifies single listings with a verified model folder. Any number of threads may share one.

    Raises `ModelFolderError` when the folder does not match its manifest.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest = Manifest.verified(folder)
        self.card = (folder / CARD).read_text(encoding="utf-8") if CARD in self.manifest.files else ""
        self._blocks = read_blocks(folder)
        terms = (read_terms(folder, number) for number in range(len(self._blocks)))
        self._vocabulary = Vocabulary(self._blocks, terms)
        arrays = ModelArrays.read(folder)
        self._idf, self._coefficients, self._intercept = arrays.idf, arrays.coefficients, arrays.intercept
        self.classes = arrays.classes
        self._types = [(code, self.manifest.labels[code]) for code in self.classes.tolist()]
        self._block_weights = np.array([block.weight for block in self._blocks], dtype=np.float32)

    def scores(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the raw scores of one listing (types, in the order of `classes`)."""
        return self._scores(_tokens(title, description))

    def probabilities(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the confidence in each type (types, sums to 1)."""
        return self._probabilities(_tokens(title, description))

    def predict_top_k(self, title: str, description: str | None = None, k: int = 3) -> Classification:
        """Return the most likely type of a listing, and the `k` (at least 1) most likely ones with their confidence."""
        return self._classify(_tokens(title, description), k)

    def predict_in_pieces(self, title: str, description: str | None, k: int) -> Generator[None, None, Classification]:
        """Return what `predict_top_k` does, for a long listing in pieces of some milliseconds.

        Between two pieces the caller may do something else.
        """
        tokens = _tokens(title, description)
        yield from self._look_up(tokens)
        yield
        return self._classify(tokens, k)

    def look_up(self, title: str, description: str | None) -> Iterator[None]:
        """Look up the words of a long listing in such pieces; `explain` is quick after that."""
        yield from self._look_up(_tokens(title, description))

    def _look_up(self, tokens: _Tokens) -> Iterator[None]:
        # Nearly all of the time for a long listing goes into words that are new to the vocabulary's cache.
        piece: list[str] = []
        size = 0
        for word in self._vocabulary.new_words(*tokens):
            piece.append(word)
            size += len(word)
            if size >= _PIECE:
                self._vocabulary.remember(piece)
                yield
                piece, size = [], 0
        self._vocabulary.remember(piece)

    def _scores(self, tokens: _Tokens) -> NDArray[np.float64]:
        columns, weights = self._weigh(self._vocabulary.columns(*tokens))
        # With `clip`, numpy does not check every column, which would take longer than the arithmetic.
        answer: NDArray[np.float64] = weights @ self._coefficients.take(columns, axis=0, mode="clip") + self._intercept
        return answer

    def _probabilities(self, tokens: _Tokens) -> NDArray[np.float64]:
        scaled = self._scores(tokens) * self.manifest.temperature
        exponents = np.exp(scaled - scaled.max())
        answer: NDArray[np.float64] = exponents / exponents.sum()
        return answer

    def _classify(self, tokens: _Tokens, k: int) -> Classification:
        probabilities = self._probabilities(tokens)
        best = (-probabilities).argsort(kind="stable")[:k]
        pairs = zip(best.tolist(), probabilities[best].tolist(), strict=True)
        top = [(*self._types[column], confidence) for column, confidence in pairs]
        code, label, confidence = top[0]
        threshold = self.manifest.threshold
        return Classification(code, label, confidence, threshold is None or confidence < threshold, top)

    def explain(
        self, title: str, description: str | None, code: int, limit: int = 10
    ) -> tuple[list[Reason], list[Reason]]:
        """Return the terms that support a type and those that oppose it: at most `limit` of each, the strongest first.

        The contributions of all terms and the type's intercept sum to its score. Raises `ValueError` for a code that
        the model was not trained on.
        """
        found = np.flatnonzero(self.classes == code)
        if len(found) == 0:
            raise ValueError(f"the model knows no type {code}")
        tokens = _tokens(title, description)
        columns, weights = self._weigh(self._vocabulary.columns(*tokens))
        parts = weights * self._coefficients[columns, found[0]]
        contributions = dict(zip(columns.tolist(), parts.tolist(), strict=True))
        reasons: dict[int, Reason] = {}
        for number, block in enumerate(self._blocks):
            terms = block.terms(block.tokens(*tokens))
            for term, column in zip(terms, self._vocabulary.columns_in_block(terms, number), strict=True):
                if column >= 0:
                    reasons[column] = Reason(_shown(term, block), block.field, block.kind, contributions[column])
        ranked = sorted(reasons.values(), key=lambda reason: -abs(reason.contribution))
        supporting = [reason for reason in ranked if reason.contribution > 0]
        opposing = [reason for reason in ranked if reason.contribution < 0]
        return supporting[:limit], opposing[:limit]

    def _weigh(self, columns: Columns) -> tuple[Columns, Weights]:
        """Return the distinct columns of `Vocabulary.columns`, without the guards, and the weight of each.

        The weights are those of training: (1 + log count) * idf, the weights of each block scaled to the length
        `weight`. All blocks are computed in one pass.
        """
        ends = (columns[1:] != columns[:-1]).nonzero()[0]  # of the runs of equal columns; the first is the guard's run
        distinct = columns.take(ends[1:])
        weights: Weights = np.log((ends[1:] - ends[:-1]).astype(np.float32))
        weights += 1
        weights *= self._idf.take(distinct)
        bounds = distinct.searchsorted(self._vocabulary.bounds)
        sizes = bounds[1:] - bounds[:-1]
        filled = sizes.nonzero()[0]
        lengths = np.sqrt(np.add.reduceat(weights * weights, bounds[filled]))
        weights *= (self._block_weights[filled] / lengths).repeat(sizes[filled])
        return distinct, weights


def _tokens(title: str, description: str | None) -> _Tokens:
    in_title = words(normalise(title), intern=False)
    return in_title, words(normalise(description), intern=False) if description else []


def _shown(term: str, block: Block) -> str:
    return term.replace(" ", "·") if block.kind == "characters" else term
