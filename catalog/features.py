"""TF-IDF blocks: each counts one kind of term in one field of the listing, and is scaled on its own.

Keeping title and description apart lets the model learn that "pool" in a title says more than in a description.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from catalog.text import character_terms, with_pairs

Floats = NDArray[np.float32]
Tokens = list[list[str]]


@dataclass(frozen=True)
class Block:
    """What one block counts.

    `field` `both` pools title and description, which helps where one of them is missing. `kind` is `words` (single
    words, and with `longest` 2 pairs of neighbours too) or `characters` (n-grams within words, `shortest` to `longest`
    characters). Terms in fewer than `minimum_listings` listings are left out; of the rest the `maximum_terms` in most
    listings stay. `weight` scales the block's unit-length rows against the other blocks'.
    """

    field: Literal["title", "description", "both"]
    kind: Literal["words", "characters"]
    shortest: int = 1
    longest: int = 2
    minimum_listings: int = 2
    maximum_terms: int = 200_000
    weight: float = 1.0


@dataclass(frozen=True)
class FittedBlock:
    """A block with what it learned: its terms in column order, and the inverse document frequency of each."""

    block: Block
    joined_terms: str  # one string, a line a term: a list of 200,000 strings takes skops minutes to write
    idf: Floats

    @property
    def terms(self) -> list[str]:
        """The terms in column order."""
        return self.joined_terms.split("\n") if self.joined_terms else []


def fit_block(block: Block, tokens: Tokens) -> tuple[FittedBlock, sparse.csr_matrix]:
    """Learn a block's vocabulary from the listings' words; return it with their matrix (listings x terms, float32)."""
    counts, terms = _count(block, tokens, None)
    listings = np.bincount(counts.indices, minlength=len(terms))
    kept = np.flatnonzero(listings >= block.minimum_listings)
    if len(kept) > block.maximum_terms:
        # A stable sort, so that ties fall the same way on every machine: by the terms' alphabetical order.
        kept = np.sort(kept[np.argsort(-listings[kept], kind="stable")[: block.maximum_terms]])
    idf = np.log((1 + len(tokens)) / (1 + listings[kept])) + 1
    fitted = FittedBlock(block, "\n".join(terms[column] for column in kept), idf.astype(np.float32))
    return fitted, _weigh(fitted, counts[:, kept])


def transform_block(fitted: FittedBlock, tokens: Tokens) -> sparse.csr_matrix:
    """Return the matrix of these listings (listings x terms, float32) in the block's vocabulary."""
    return _weigh(fitted, _count(fitted.block, tokens, fitted.terms)[0])


def _count(block: Block, tokens: Tokens, terms: list[str] | None) -> tuple[sparse.csr_matrix, list[str]]:
    """Count terms (listings x terms); `terms` None learns them, in alphabetical order."""
    if block.kind == "words":
        return _count_terms(tokens, with_pairs if block.longest > 1 else list, terms)
    # The character n-grams of a word never change, so they are counted once a word and carried over by a product.
    by_word, vocabulary = _count_terms(tokens, list, None)
    by_term, terms = _count_terms(vocabulary, lambda word: character_terms(word, block.shortest, block.longest), terms)
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
    """Turn counts into (1 + log count) * idf, rows scaled to length `weight`."""
    matrix = counts.tocsr()
    if matrix.shape[1] == 0:  # a field that no listing fills
        return matrix
    matrix.data = (1 + np.log(matrix.data)) * fitted.idf[matrix.indices]
    matrix = normalize(matrix, copy=False)
    matrix.data *= np.float32(fitted.block.weight)
    return matrix.astype(np.float32)
