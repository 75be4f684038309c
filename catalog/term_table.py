"""A hash table from terms to columns: 23 bytes a term, where Python dictionaries of the terms took 130."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Kind

Columns = NDArray[np.int32]
Hashes = NDArray[np.int64]
Key = str | tuple[str, ...]  # what is hashed: an n-gram of a word as it is, a word or a pair of words as a tuple


class TermTable:
    """The table has one row a distinct hash: the term's column in each block, or -1 if the block does not count it.

    The rows are sorted by hash, and an index by the leading bits of the hash gives the first row to look at; only the
    few rows with the same leading bits are compared.

    The table keeps no terms, only Python's own hashes of 64 bits, whose key differs in each process unless
    PYTHONHASHSEED is set. With a million known terms, about one unknown term in 10^13 is taken for a known one. Nobody
    outside can search for such a term, since the key is not known.
    """

    def __init__(self, hashes: Sequence[Hashes], positions: Sequence[int]) -> None:
        """Build the table from the hashes of each block, in column order. `positions`: each block's within a row."""
        distinct, rows = np.unique(np.concatenate(hashes).view(np.uint64), return_inverse=True)
        self._columns = np.full((len(distinct), len(hashes)), -1, dtype=np.int32)
        self._columns[rows, np.repeat(positions, [len(part) for part in hashes])] = np.arange(len(rows))
        bits = max(len(distinct).bit_length(), 1)
        self._shift = 64 - bits
        sizes = np.bincount((distinct >> np.uint64(self._shift)).view(np.int64), minlength=1 << bits)
        self._starts = (sizes.cumsum() - sizes).astype(np.int32)
        self._steps = np.arange(sizes.max())
        # The last rows may be read beyond the end. The zeros there match no hash that is looked for near the end, since
        # those hashes begin with a one.
        self._hashes = np.concatenate([distinct.view(np.int64), np.zeros(len(self._steps), dtype=np.int64)])

    def find(self, hashes: Hashes) -> tuple[NDArray[np.bool_], Columns]:
        """Return where the hashes are (hashes x rows compared, bool) and the rows of those that are in the table."""
        # The shift keeps the sign, and a negative index counts from the end: right for hashes that begin with a one.
        rows = self._starts.take(hashes >> self._shift)[:, np.newaxis] + self._steps
        hits: NDArray[np.bool_] = self._hashes.take(rows) == hashes[:, np.newaxis]
        return hits, self._columns.take(rows[hits], axis=0)


def keys_of(terms: Iterable[str], kind: Kind) -> Iterable[Key]:
    """Return what is hashed for each term.

    Words and pairs are tuples. So a word and an n-gram of the same letters differ, and the pairs of a listing need not
    be joined to strings.
    """
    return terms if kind == "characters" else (tuple(term.split(" ")) for term in terms)


def hashes_of(keys: Iterable[Key], count: int = -1) -> Hashes:
    """Return the hash of each key. `count`: their number if it is known."""
    return np.fromiter(map(hash, keys), np.int64, count)
