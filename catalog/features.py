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

_ROWS_AT_ONCE, _ENTRIES_AT_ONCE = 2_000, 4_000_000


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
    listings = _listings_of_terms(counts)
    kept = np.flatnonzero(listings >= block.minimum_listings)
    if len(kept) > block.maximum_terms:
        # The sort is stable, so that every machine breaks ties in the same way: by the alphabetical order of the terms.
        kept = np.sort(kept[np.argsort(-listings[kept], kind="stable")[: block.maximum_terms]])
    idf = np.log((1 + len(tokens)) / (1 + listings[kept])) + 1
    fitted = FittedBlock(block, "\n".join(terms[column] for column in kept), idf.astype(np.float32))
    return fitted, _weigh(fitted, counts if len(kept) == len(terms) else counts[:, kept])


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


def side_by_side(parts: Sequence[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Return the matrices of the same listings as one, with the terms of each listing in ascending order.

    scipy's `hstack` needs three times the memory of the result meanwhile, and this the result alone.
    """
    ends = np.sum([part.indptr.astype(np.int64) for part in parts], axis=0)
    width = sum(part.shape[1] for part in parts)
    index = sparse.get_index_dtype(maxval=max(int(ends[-1]), width))
    columns, values = np.empty(ends[-1], dtype=index), np.empty(ends[-1], dtype=np.float32)
    place, column = ends[:-1].copy(), 0  # where the next part of each listing begins
    for part in parts:
        sizes = np.diff(part.indptr)
        for start in range(0, len(sizes), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            own = slice(part.indptr[start], part.indptr[min(start + _ROWS_AT_ONCE, len(sizes))])
            target = np.repeat(place[rows] - part.indptr[:-1][rows], sizes[rows]) + np.arange(own.start, own.stop)
            columns[target], values[target] = part.indices[own] + column, part.data[own]
        place += sizes
        column += part.shape[1]
    joined = sparse.csr_matrix((values, columns, ends.astype(index)), shape=(len(ends) - 1, width))
    joined.sort_indices()
    return joined


def _listings_of_terms(counts: sparse.csr_matrix) -> NDArray[np.intp]:
    """Return how many listings have each term."""
    found = np.zeros(counts.shape[1], dtype=np.intp)
    for start in range(0, counts.nnz, _ENTRIES_AT_ONCE):  # numpy makes a copy of 8 bytes an entry to count them
        found += np.bincount(counts.indices[start : start + _ENTRIES_AT_ONCE], minlength=len(found))
    return found


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
    np.log(matrix.data, out=matrix.data)  # in place: the matrix of a catalogue has hundreds of megabytes
    matrix.data += 1
    matrix.data *= fitted.idf.take(matrix.indices)
    return _to_length(fitted.block, matrix)


def _to_length(block: Block, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale rows to the length `weight`."""
    if matrix.shape[1] == 0:
        return matrix
    matrix = normalize(matrix, copy=False)
    matrix.data *= np.float32(block.weight)
    return matrix.astype(np.float32, copy=False)
