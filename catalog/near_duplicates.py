"""Near duplicates: texts that have most of their pairs of neighbouring words in common.

Two texts are near duplicates if the Jaccard similarity of their pairs (Broder, "On the Resemblance and Containment of
Documents", 1997) reaches a threshold. At 0.6 that is, for example, two titles of eight words that differ in an inner
one. MinHash with bands proposes which texts to compare (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets",
section 3.4), and every proposal is compared exactly: what is found is right, and about one in a hundred is missed. The
time grows linearly with the texts, also where thousands are alike: no text is compared with more than some dozens.

Words are runs of letters and digits. So nothing is found in scripts that do not separate words, such as Chinese.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]
_Hashes = NDArray[np.uint64]

# Texts of similarity s have an equal band with the probability 1 - (1 - s^3)^24: 0.997 at 0.6, 0.18 at 0.2.
_BANDS, _HASHES_A_BAND = 24, 3
_MOST = 16  # texts that one text is compared with, by each band
_PAIRS = 50_000  # that are compared at a time
_ODD = np.uint64(0x9E3779B97F4A7C15)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Shingles:
    """The word pairs of texts: a matrix (texts x pairs, ones), and the bands of their MinHash (bands x texts)."""

    pairs: sparse.csr_matrix
    bands: _Hashes

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Read normalised texts, at least one. What comes out for a text depends on no other text."""
        # Words are numbered in the order of their first occurrence. The empty word stands before each text.
        vocabulary: defaultdict[str, int] = defaultdict(count().__next__)
        words = [["", *(_WORD.findall(text) or [text])] for text in texts]
        numbers = np.fromiter(map(vocabulary.__getitem__, chain.from_iterable(words)), np.intp)
        lengths = np.array([len(row) - 1 for row in words])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        by_word = np.array([_digest(word) for word in vocabulary], dtype=np.uint64)[numbers]
        second = np.delete(np.arange(len(numbers)), starts[:-1] + np.arange(len(texts)))
        hashes = _mixed(_mixed(by_word[second - 1]) + by_word[second])
        _, columns = np.unique(hashes, return_inverse=True)
        pairs = sparse.csr_matrix((np.ones(len(hashes), dtype=np.float32), columns, starts))
        pairs.sum_duplicates()
        pairs.data[:] = 1
        return cls(pairs, np.stack([_band(number, hashes, starts[:-1]) for number in range(_BANDS)]))

    def near(self, rows: Rows, among: Rows, similarity: float) -> Flags:
        """Return which of the rows have a near duplicate among other rows."""
        found = np.zeros(len(rows), dtype=np.bool_)
        for band in self.bands if len(among) else ():
            order = among[np.argsort(band[among], kind="stable")]
            open_ones = np.flatnonzero(~found)
            place = np.searchsorted(band[order], band[rows[open_ones]])
            proposed = []
            for step in range(_MOST):
                inside = place + step < len(order)
                open_ones, place = open_ones[inside], place[inside]
                equal = band[order[place + step]] == band[rows[open_ones]]
                open_ones, place = open_ones[equal], place[equal]
                proposed.append(np.stack([open_ones, order[place + step]]))
            one, other = np.concatenate(proposed, axis=1)
            found[one[self._alike(rows[one], other, similarity)]] = True
        return found

    def groups(self, similarity: float) -> Rows:
        """Return the number of each text's group. Near duplicates, and near duplicates of these, are in one group."""
        proposed = []
        for band in self.bands:
            order = np.argsort(band, kind="stable")
            equal = np.flatnonzero(band[order[1:]] == band[order[:-1]])
            proposed.append(np.stack([order[equal], order[equal + 1]]))
        one, other = np.unique(np.concatenate(proposed, axis=1), axis=1)
        alike = self._alike(one, other, similarity)
        links = sparse.coo_matrix((np.ones(int(alike.sum())), (one[alike], other[alike])), shape=(self.count,) * 2)
        numbers: Rows = connected_components(links, directed=False)[1]
        return numbers

    @property
    def count(self) -> int:
        """The number of texts."""
        return int(self.pairs.shape[0])

    def _alike(self, ones: Rows, others: Rows, similarity: float) -> Flags:
        """Return which pairs of texts are near duplicates."""
        sizes = np.diff(self.pairs.indptr)
        common = [
            np.asarray(self.pairs[ones[part]].multiply(self.pairs[others[part]]).sum(axis=1)).ravel()
            for part in (slice(start, start + _PAIRS) for start in range(0, len(ones), _PAIRS))
        ]
        shared = np.concatenate([*common, np.zeros(0)])
        return np.asarray(shared >= similarity * (sizes[ones] + sizes[others] - shared), dtype=np.bool_)


def _digest(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _mixed(hashes: _Hashes) -> _Hashes:
    """Return other hashes, one to one, in which every bit depends on all bits (the end of SplitMix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _band(number: int, hashes: _Hashes, starts: Rows) -> _Hashes:
    """Return the band of each text: its smallest hashes by some permutations of all hashes, as one number."""
    permutations = np.arange(number * _HASHES_A_BAND, (number + 1) * _HASHES_A_BAND, dtype=np.uint64)
    keys = np.zeros(len(starts), dtype=np.uint64)
    for multiplier in _mixed((permutations + np.uint64(1)) * _ODD) | np.uint64(1):
        keys = _mixed(keys + np.minimum.reduceat(hashes * multiplier >> np.uint64(32), starts))
    return keys
