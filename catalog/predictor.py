"""The served classifier: it reads a model folder and needs numpy only; a model with sentence vectors, their encoder."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Block, Field, Kind
from catalog.model_folder import CARD, Manifest, ModelArrays, read_blocks, read_terms
from catalog.sentence_vectors import shared_encoder, text_of
from catalog.term_weights import TermWeights, Weights
from catalog.text import words_of_raw
from catalog.vocabulary import Tokens, Vocabulary

Texts = tuple[str, str | None]  # title and description
_PIECE = 1_500  # characters of new words that are looked up at a time
_VECTOR = "(sentence vector)"  # what an explanation calls it; no term has brackets
_TOGETHER = 64  # listings: with more of them the arrays leave the nearest caches of the processor


@dataclass(frozen=True)
class Classification:
    """The answer for one listing. `abstained`: a person should check it before anybody acts on it.

    `novelty`: the listing looks like nothing the model has learned from; its type may be one that the model lacks.
    """

    code: int
    label: str
    confidence: float
    abstained: bool
    novelty: bool
    top_k: list[tuple[int, str, float]]


@dataclass(frozen=True)
class Reason:
    """What one term of a listing adds to the raw score of a type (negative: subtracts from it).

    `term` is a word, a pair of neighbouring words or, where `kind` is `characters`, an n-gram of a word with `·` where
    the word begins or ends: `·pisc`, `cine·`. `field` is where the term was counted; `both` is title and description
    together. Where `kind` is `vector`, it is what the sentence vector adds: the title as a whole.
    """

    term: str
    field: Field
    kind: Kind | Literal["vector"]
    contribution: float


class Predictor:
    """Classifies single listings with a verified model folder. Any number of threads may share one.

    Raises `ModelFolderError` when the folder does not match its manifest, and `EncoderError` when the model has
    sentence vectors and their encoder is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest = Manifest.verified(folder)
        self.encoder = shared_encoder(self.manifest.encoder) if self.manifest.encoder else None
        self.card = (folder / CARD).read_text(encoding="utf-8") if CARD in self.manifest.files else ""
        self._blocks = read_blocks(folder)
        terms = (read_terms(folder, number) for number in range(len(self._blocks)))
        self._vocabulary = Vocabulary(self._blocks, terms)
        arrays = ModelArrays.read(folder)
        self._coefficients, self._intercept = arrays.coefficients, arrays.intercept
        self._term_weights = TermWeights(arrays.idf, self._blocks, self._vocabulary.bounds)
        self._vectors = arrays.vectors
        self.classes = arrays.classes
        usual = self.manifest.usual_score
        self._usual = -math.inf if usual is None else usual * self.manifest.temperature
        self._types = [(code, self.manifest.labels[code]) for code in self.classes.tolist()]

    def scores(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the raw scores of one listing (types, in the order of `classes`)."""
        return self._scores(_tokens(title, description), self._of_vector(title, description))

    def probabilities(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the confidence in each type (types, sums to 1)."""
        return self._probabilities(title, description)[0]

    def predict_top_k(self, title: str, description: str | None = None, k: int = 3) -> Classification:
        """Return the most likely type of a listing, and the `k` (at least 1) most likely ones with their confidence."""
        probabilities, highest = self._probabilities(title, description)
        best = (-probabilities).argsort(kind="stable")[:k]
        return self._classification(best.tolist(), probabilities[best].tolist(), highest)

    def predict_batch(self, listings: Sequence[Texts], k: int = 3) -> list[Classification]:
        """Return what `predict_top_k` does for each listing, bit for bit, in about half the time a listing."""
        answers: list[Classification] = []
        for first in range(0, len(listings), _TOGETHER):
            some = listings[first : first + _TOGETHER]
            tokens = [_tokens(*listing) for listing in some]
            self._vocabulary.remember(self._vocabulary.new_words(tokens))
            answers += self._classify_together(tokens, [self._of_vector(*listing) for listing in some], k)
        return answers

    def predict_in_pieces(self, listings: Sequence[Texts], k: int) -> Generator[bool, None, list[Classification]]:
        """Return what `predict_batch` does, for one long listing or a few dozen short ones.

        The work comes in pieces of some milliseconds. Between two pieces the caller may do something else: where it
        yields true, also other such work.
        """
        of_vectors = []
        for listing in listings:
            of_vectors.append(self._of_vector(*listing))
            if self.encoder:
                yield True
        tokens = [_tokens(*listing) for listing in listings]
        yield from self._look_up(tokens)
        yield False
        return self._classify_together(tokens, of_vectors, k) if tokens else []

    def look_up(self, title: str, description: str | None) -> Iterator[bool]:
        """Look up the words of a long listing in such pieces; `explain` is quick after that."""
        yield from self._look_up([_tokens(title, description)])

    def _look_up(self, listings: Sequence[Tokens]) -> Iterator[bool]:
        # Nearly all of the time for a long listing goes into words that are new to the vocabulary's cache.
        piece: list[str] = []
        size = 0
        for word in self._vocabulary.new_words(listings):
            piece.append(word)
            size += len(word)
            if size >= _PIECE:
                self._vocabulary.remember(piece)
                yield False
                piece, size = [], 0
        self._vocabulary.remember(piece)

    def _of_vector(self, title: str, description: str | None) -> Weights | None:
        """Return what the sentence vector of a listing adds to its scores (types), if the model has such vectors."""
        if self.encoder is None or self._vectors is None:
            return None
        added: Weights = self.encoder.encode(text_of(title, description)) @ self._vectors[:-1] + self._vectors[-1]
        return added

    def _scores(self, tokens: Tokens, of_vector: Weights | None) -> NDArray[np.float64]:
        columns, weights = self._term_weights.of_listing(self._vocabulary.columns(*tokens))
        # With `clip`, numpy does not check every column, which would take longer than the arithmetic.
        product = weights @ self._coefficients.take(columns, axis=0, mode="clip")
        if of_vector is not None:
            product += of_vector
        answer: NDArray[np.float64] = product + self._intercept
        return answer

    def _probabilities(self, title: str, description: str | None) -> tuple[NDArray[np.float64], float]:
        """Return the confidence in each type, and the highest of the raw scores times the temperature."""
        scaled = self.scores(title, description) * self.manifest.temperature
        highest = scaled.max()
        exponents = np.exp(scaled - highest)
        return exponents / exponents.sum(), float(highest)

    def _classify_together(
        self, listings: Sequence[Tokens], of_vectors: Sequence[Weights | None], k: int
    ) -> list[Classification]:
        """Return what `predict_top_k` does for each of at least one listing, most steps done for all in one call."""
        columns, weights, ends = self._term_weights.of_listings(*self._vocabulary.columns_of_many(listings))
        products = np.empty((len(listings), len(self.classes)), dtype=np.float32)
        bounds = pairwise([0, *ends.tolist()])
        for product, of_vector, (start, end) in zip(products, of_vectors, bounds, strict=True):
            taken = self._coefficients.take(columns[start:end], axis=0, mode="clip")
            np.matmul(weights[start:end], taken, out=product)
            if of_vector is not None:
                product += of_vector
        scaled = (products + self._intercept) * self.manifest.temperature
        highest = scaled.max(axis=1, keepdims=True)
        exponents = np.exp(scaled - highest)
        probabilities = exponents / exponents.sum(axis=1, keepdims=True)
        best = (-probabilities).argsort(axis=1, kind="stable")[:, :k]
        confidences = np.take_along_axis(probabilities, best, axis=1)
        tops = zip(best.tolist(), confidences.tolist(), highest[:, 0].tolist(), strict=True)
        return [self._classification(*top) for top in tops]

    def _classification(self, columns: list[int], confidences: list[float], highest: float) -> Classification:
        top = [(*self._types[column], confidence) for column, confidence in zip(columns, confidences, strict=True)]
        code, label, confidence = top[0]
        threshold, novelty = self.manifest.threshold, highest < self._usual
        unsure = threshold is None or confidence < threshold
        return Classification(
            code, label, confidence, unsure or (novelty and self.manifest.abstains_on_novelty), novelty, top
        )

    def explain(
        self, title: str, description: str | None, code: int, limit: int = 10
    ) -> tuple[list[Reason], list[Reason]]:
        """Return the terms that support a type and those that oppose it: at most `limit` of each, the strongest first.

        The contributions of all terms, of the sentence vector if the model has them, and the type's intercept sum to
        its score. Raises `ValueError` for a code that the model was not trained on.
        """
        found = np.flatnonzero(self.classes == code)
        if len(found) == 0:
            raise ValueError(f"the model knows no type {code}")
        tokens = _tokens(title, description)
        columns, weights = self._term_weights.of_listing(self._vocabulary.columns(*tokens))
        parts = weights * self._coefficients[columns, found[0]]
        contributions = dict(zip(columns.tolist(), parts.tolist(), strict=True))
        reasons: dict[int, Reason] = {}
        for number, block in enumerate(self._blocks):
            terms = block.terms(block.tokens(*tokens))
            for term, column in zip(terms, self._vocabulary.columns_in_block(terms, number), strict=True):
                if column >= 0:
                    reasons[column] = Reason(_shown(term, block), block.field, block.kind, contributions[column])
        of_vector = self._of_vector(title, description)
        whole = [Reason(_VECTOR, "title", "vector", float(of_vector[found[0]]))] if of_vector is not None else []
        ranked = sorted([*reasons.values(), *whole], key=lambda reason: -abs(reason.contribution))
        supporting = [reason for reason in ranked if reason.contribution > 0]
        opposing = [reason for reason in ranked if reason.contribution < 0]
        return supporting[:limit], opposing[:limit]


def _tokens(title: str, description: str | None) -> Tokens:
    return words_of_raw(title), words_of_raw(description) if description else []


def _shown(term: str, block: Block) -> str:
    return term.replace(" ", "·") if block.kind == "characters" else term
