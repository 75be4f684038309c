"""Sentence vectors in training: they are computed once a listing, and a machine of their own is fitted to them."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import starmap
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from catalog.sentence_vectors import DIMENSIONS, ENCODER, Vector, shared_encoder, text_of
from catalog.solvers import ClassWeight, Linear, Rows, Scores, support_vectors
from catalog.sweep import Right, best_beyond_chance

logger = logging.getLogger(__name__)

_C = 2.0  # of the machine; values from 0.5 to 10 give the same F1 to half a point
_SILENCE = 5.0  # seconds between two lines of the log
_PIECE = 64  # texts of which a thread takes the next ones
_THREADS = 8  # at most; the memory is that of one

Matrix = NDArray[np.float32]
_kept: ContextVar[dict[str, Vector] | None] = ContextVar("vectors that are kept", default=None)


@contextmanager
def vectors_kept() -> Iterator[None]:
    """Within this context each text is encoded once, whichever models ask for it; 2 KB are kept of each.

    A context within another one keeps the same vectors as that.
    """
    token = _kept.set({} if (outer := _kept.get()) is None else outer)
    try:
        yield
    finally:
        _kept.reset(token)


def encode_listings(titles: Sequence[object], descriptions: Sequence[object], encoder: str = ENCODER) -> Matrix:
    """Return the vectors of listings (listings x 512). A missing text is anything but a string.

    The log says how fast it goes and how long it will take. Raises `EncoderError` without this encoder.
    """
    texts = list(starmap(_text, zip(titles, descriptions, strict=True)))
    kept = _kept.get()
    known = {} if kept is None else kept
    if new := [text for text in dict.fromkeys(texts) if text not in known]:
        known.update(zip(new, _encoded(new, encoder), strict=True))
    return np.stack([known[text] for text in texts]) if texts else np.empty((0, DIMENSIONS), dtype=np.float32)


def _text(title: object, description: object) -> str:
    return text_of(title if isinstance(title, str) else "", description if isinstance(description, str) else None)


def _encoded(texts: Sequence[str], encoder: str) -> Iterator[Vector]:
    encode = shared_encoder(encoder).encode
    pieces = [texts[first : first + _PIECE] for first in range(0, len(texts), _PIECE)]
    began = said = monotonic()
    done = 0
    # BLAS has one thread in all of them: the encoder limits it in each call, and calls at the same time would undo it.
    with threadpool_limits(1), ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS)) as pool:
        for vectors in pool.map(lambda piece: [encode(text) for text in piece], pieces):
            yield from vectors
            done += len(vectors)
            if monotonic() - said > _SILENCE or (done == len(texts) and said > began):
                said = monotonic()
                rate = done / (said - began)
                left = f", about {(len(texts) - done) / rate:,.0f} s left" if done < len(texts) else ""
                logger.info("Encoded %s of %s texts, %.0f a second%s", f"{done:,}", f"{len(texts):,}", rate, left)


class VectorMachine:
    """A support vector machine on sentence vectors, whose scores are spread like those of the model of the terms."""

    def __init__(self, vectors: Matrix, terms: Rows, of_terms: Linear, class_weight: ClassWeight, seed: int) -> None:
        """Fit it to the vectors of the listings whose `terms` the model `of_terms` was fitted to."""
        mean = vectors.mean(axis=0, dtype=np.float64)
        scale = float((vectors - mean).std()) * DIMENSIONS**0.5 or 1.0
        rows = Rows(sparse.csr_matrix((vectors - mean) / scale), terms.types)
        fitted = support_vectors(rows, _C, class_weight, seed, terms)
        fitted.scale(of_terms.spread(terms) / (fitted.spread(rows) or 1.0))
        weights = fitted.coefficients.astype(np.float64) / scale
        self.intercepts = fitted.intercepts
        self.coefficients: Matrix = np.vstack([weights, -mean @ weights]).astype(np.float32)

    def scores(self, vectors: Matrix) -> Scores:
        """Return the scores of listings (listings x types)."""
        return vector_scores(vectors, self.coefficients) + self.intercepts

    def choose_share(
        self, vectors: Matrix, types: NDArray[np.intp], of_terms: Scores, shares: Sequence[float]
    ) -> float:
        """Return the share of these scores in a mix with `of_terms` that is best on listings of these types."""
        own = self.scores(vectors)
        right: dict[float, Right] = {
            share: ((1 - share) * of_terms + share * own).argmax(axis=1) == types for share in shares
        }
        return best_beyond_chance(right)


def vector_scores(vectors: Matrix, coefficients: Matrix) -> Scores:
    """Return what vectors add to the scores of their listings: in the mean nothing.

    `coefficients`: a row for each number of a vector, and one for what the mean vector would add (513 x types).
    """
    # One by one, as in the service, so that a listing has the same scores whichever others there are.
    parts = [vector @ coefficients[:-1] + coefficients[-1] for vector in vectors]
    return np.array(parts, dtype=np.float64).reshape(len(vectors), coefficients.shape[1])
