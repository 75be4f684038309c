"""The weights of a listing's terms, as in training: (1 + log count) * idf, each block scaled to the length `weight`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Block
from catalog.term_table import Columns
from catalog.vocabulary import Numbers

Weights = NDArray[np.float32]


class TermWeights:
    """Weighs the columns that a vocabulary has found. `bounds` are those of the vocabulary.

    A listing gets the same weights, bit for bit, alone and among others. All blocks are computed in one pass.
    """

    def __init__(self, idf: Weights, blocks: Sequence[Block], bounds: Columns) -> None:
        self._idf = idf
        self._bounds = bounds
        self._block_weights = np.array([block.weight for block in blocks], dtype=np.float32)

    def of_listing(self, columns: Columns) -> tuple[Columns, Weights]:
        """Return the distinct columns of `Vocabulary.columns`, without the guards, and the weight of each."""
        ends = (columns[1:] != columns[:-1]).nonzero()[0]  # of the runs of equal columns; the first is the guard's run
        distinct = columns.take(ends[1:])
        weights = self._of_terms(distinct, ends[1:] - ends[:-1])
        bounds = distinct.searchsorted(self._bounds)
        sizes = bounds[1:] - bounds[:-1]
        filled = sizes.nonzero()[0]
        lengths = np.sqrt(np.add.reduceat(weights * weights, bounds[filled]))
        weights *= (self._block_weights[filled] / lengths).repeat(sizes[filled])
        return distinct, weights

    def of_listings(self, columns: Columns, ends: Numbers) -> tuple[Columns, Weights, Numbers]:
        """Return the same of `Vocabulary.columns_of_many`: columns, weights, and where those of each listing end."""
        last = np.append(columns[1:] != columns[:-1], True)[: len(columns)]  # of each run of equal columns
        last[ends[ends > 0] - 1] = True
        runs = last.nonzero()[0]
        distinct = columns.take(runs)
        known = (distinct >= 0).nonzero()[0]
        distinct = distinct.take(known)
        weights = self._of_terms(distinct, np.diff(runs, prepend=-1).take(known))
        ends_of_distinct = runs.take(known).searchsorted(ends)

        # Numbers that ascend over all listings, of the columns and of the first column of each block in each listing.
        first = np.arange(len(ends)) * int(self._bounds[-1])
        ascending = distinct + first.repeat(np.diff(ends_of_distinct, prepend=0))
        bounds = ascending.searchsorted((first[:, np.newaxis] + self._bounds[:-1]).ravel())
        sizes = np.diff(bounds, append=len(distinct))
        filled = sizes.nonzero()[0]
        lengths = np.sqrt(np.add.reduceat(weights * weights, bounds[filled]))
        weights *= (self._block_weights[filled % len(self._block_weights)] / lengths).repeat(sizes[filled])
        return distinct, weights, ends_of_distinct

    def _of_terms(self, columns: Columns, counts: Numbers) -> Weights:
        weights: Weights = np.log(counts.astype(np.float32))
        weights += 1
        weights *= self._idf.take(columns)
        return weights
