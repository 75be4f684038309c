"""TF-IDF matrices of listings: each block counts its terms in one field, and its rows are scaled on their own.

Blocks of the title alone let the model learn that "pool" in a title says more than in a description.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from catalog.blocks import Block

Floats = NDArray[np.float32]
Tokens = list[list[str]]


@dataclass(frozen=True)
class FittedBlock:
    """A block with its learned terms in column order, and their inverse document frequencies (terms)."""

    block: Block
    joined_terms: str  # one string with a term a line: skops needs minutes to write a list of 200,000 strings
    idf: Floats

    @property
    def terms(self) -> list[str]:
        """The terms in column order."""
        return self.joined_terms.split("\n") if self.joined_terms else []


def fit_block(block: Block, tokens: Tokens) -> tuple[FittedBlock, sparse.csr_matrix]:
    """Learn a block's terms from listings; return them, and the matrix of the listings (listings x terms, float32).

    `tokens` has the words that the block reads of each listing.
    """
    counts, terms = _count(block, tokens, None)
    listings = np.bincount(counts.indices, minlength=len(terms))
    kept = np.flatnonzero(listings >= block.minimum_listings)
    if len(kept) > block.maximum_terms:
        # The sort is stable, so that every machine breaks ties in the same way: by the alphabetical order of the terms.
        kept = np.sort(kept[np.argsort(-listings[kept], kind="stable")[: block.maximum_terms]])
    idf = np.log((1 + len(tokens)) / (1 + listings[kept])) + 1
    fitted = FittedBlock(block, "\n".join(terms[column] for column in kept), idf.astype(np.float32))
    return fitted, _weigh(fitted, counts[:, kept])


def restrict_block(
    fitted: FittedBlock, matrix: sparse.csr_matrix, kept: NDArray[np.intp]
) -> tuple[FittedBlock, sparse.csr_matrix]:
    """Return a block with only the terms in the columns `kept`, and its matrix of the same listings."""
    terms = fitted.terms
    smaller = FittedBlock(fitted.block, "\n".join(terms[column] for column in kept), fitted.idf[kept])
    return smaller, _to_length(smaller.block, matrix[:, kept])


def transform_block(fitted: FittedBlock, tokens: Tokens) -> sparse.csr_matrix:
    """Return the matrix of listings (listings x terms, float32) for the learned terms of a block."""
    return _weigh(fitted, _count(fitted.block, tokens, fitted.terms)[0])


def _count(block: Block, tokens: Tokens, terms: list[str] | None) -> tuple[sparse.csr_matrix, list[str]]:
    """Count terms (listings x terms). With `terms` None they are learned, in alphabetical order."""
    if block.kind == "words":
        return _count_terms(tokens, block.terms, terms)
    # The n-grams of a word are always the same: they are counted once a word, and a product carries them to listings.
    by_word, distinct_words = _count_terms(tokens, list, None)
    by_term, terms = _count_terms(distinct_words, lambda word: block.terms([word]), terms)
    return (by_word @ by_term).tocsr(), terms


def _count_terms(
    rows: Sequence[Any], terms_of: Callable[[Any], Sequence[str]], terms: list[str] | None
) -> tuple[sparse.csr_matrix, list[str]]:
    if not (any(rows) if terms is None else terms):  # CountVectorizer refuses an empty vocabulary
        return sparse.csr_matrix((len(rows), 0), dtype=np.float32), []
    counter = CountVectorizer(analyzer=terms_of, vocabulary=terms, dtype=np.float32)
    if terms is None:
        return counter.fit_transform(rows), counter.get_feature_names_out().tolist()
    return counter.transform(rows), terms


def _weigh(fitted: FittedBlock, counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Turn counts into (1 + log count) * idf, with rows scaled to the length `weight`."""
    matrix = counts.tocsr()
    if matrix.shape[1] == 0:  # a field that no listing fills
        return matrix
    matrix.data = (1 + np.log(matrix.data)) * fitted.idf[matrix.indices]
    return _to_length(fitted.block, matrix)


def _to_length(block: Block, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale rows to the length `weight`."""
    if matrix.shape[1] == 0:
        return matrix
    matrix = normalize(matrix, copy=False)
    matrix.data *= np.float32(block.weight)
    return matrix.astype(np.float32)
