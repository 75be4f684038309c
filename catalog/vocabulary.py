"""The vocabulary of a served model: from the words of a listing to the columns of its terms."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Block, Kind
from catalog.text import character_terms

_CACHE_BYTES = 4 * 2**20  # the limit of each of two generations of the word cache: about 9,000 words
_CACHE_BYTES_A_WORD = 220  # what Python needs for an entry besides the word's letters and its columns
# Before and after a listing's ascending columns, so that each run of equal columns has a neighbour on both sides.
_GUARDS = np.array([-1, np.iinfo(np.int32).max], dtype=np.int32).tobytes()

Columns = NDArray[np.int32]
_Hashes = NDArray[np.int64]
_Key = str | tuple[str, ...]  # what is hashed: an n-gram of a word as it is, a word or a pair of words as a tuple


class Vocabulary:
    """A hash table from terms to columns: 23 bytes a term, where Python dictionaries of the terms took 130.

    The table has one row a distinct hash. The row holds the term's column in each block, or -1 where the block does not
    count the term. The rows are sorted by hash, and an index by the leading bits of the hash gives the first row to
    look at; only the few rows with the same leading bits are compared.

    The table keeps no terms, only Python's own hashes of 64 bits, whose key differs in each process unless
    PYTHONHASHSEED is set. With a million known terms, about one unknown term in 10^13 is taken for a known one. Nobody
    outside can search for such a term, since the key is not known.

    The columns of the terms within a word are cached by word, since words recur. Any number of threads may share one.
    """

    def __init__(self, blocks: Sequence[Block], terms: Iterable[Iterable[str]]) -> None:
        """Build the table from the terms of each block, in column order."""
        hashes = [_hashes(_keys(own, block.kind)) for block, own in zip(blocks, terms, strict=True)]
        # The first column of each block, and the number of all columns at the end.
        self.bounds: Columns = np.cumsum([0, *map(len, hashes)], dtype=np.int32)
        self._blocks = blocks
        # Within a row, the blocks of titles come first and those of descriptions last: what counts for a word in a
        # title, or in a description, is then one slice of the row.
        fields = [block.field for block in blocks]
        order = sorted(range(len(blocks)), key=lambda number: ("title", "both", "description").index(fields[number]))
        self._positions = [order.index(number) for number in range(len(blocks))]
        self._first, self._last = fields.count("title"), len(fields) - fields.count("description")
        of_characters = [block for block in blocks if block.kind == "characters"]
        self._shortest = min((block.shortest for block in of_characters), default=1)
        self._longest = max((block.longest for block in of_characters), default=0)

        distinct, rows = np.unique(np.concatenate(hashes).view(np.uint64), return_inverse=True)
        self._columns = np.full((len(distinct), len(blocks)), -1, dtype=np.int32)
        self._columns[rows, np.repeat(self._positions, [len(part) for part in hashes])] = np.arange(len(rows))
        bits = max(len(distinct).bit_length(), 1)
        self._shift = 64 - bits
        sizes = np.bincount((distinct >> np.uint64(self._shift)).view(np.int64), minlength=1 << bits)
        self._starts = (sizes.cumsum() - sizes).astype(np.int32)
        self._steps = np.arange(sizes.max())
        # The last rows may be read beyond the end. The zeros there match no hash that is looked for near the end, since
        # those hashes begin with a one.
        self._hashes = np.concatenate([distinct.view(np.int64), np.zeros(len(self._steps), dtype=np.int64)])

        self._cache: _Cache = ({}, {})
        self._older_cache: _Cache = ({}, {})
        self._free_bytes = _CACHE_BYTES

    def columns(self, title: list[str], description: list[str]) -> Columns:
        """Return the columns of a listing's terms in ascending order, repeated as often as the terms occur.

        At least one -1 comes before them, and a number above all columns comes after them.
        """
        cache = in_titles, in_descriptions = self._cache  # one object to the end: another thread may replace it
        try:
            found = [*map(in_titles.__getitem__, title), *map(in_descriptions.__getitem__, description)]
        except KeyError:
            self._add_to_cache([word for word in {*title, *description} if word not in in_titles], cache)
            found = [*map(in_titles.__getitem__, title), *map(in_descriptions.__getitem__, description)]
        tokens = title + description
        hits, pairs = self._find(_hashes(pairwise(tokens), max(len(tokens) - 1, 0)))
        in_title, not_in_description = (np.count_nonzero(hits[:end]) for end in (max(len(title) - 1, 0), len(title)))
        pairs[in_title:, : self._first] = -1
        pairs[:not_in_description, self._last :] = -1
        return np.sort(np.frombuffer(b"".join([*found, pairs.tobytes(), _GUARDS]), np.int32))

    def new_words(self, title: list[str], description: list[str]) -> list[str]:
        """Return the distinct words of a listing that are not in the cache, in order."""
        known = self._cache[0]
        return [word for word in dict.fromkeys(title + description) if word not in known]

    def remember(self, words: Iterable[str]) -> None:
        """Look words up, so that `columns` finds them in its cache."""
        cache = self._cache
        self._add_to_cache([word for word in words if word not in cache[0]], cache)

    def columns_in_block(self, terms: Sequence[str], number: int) -> list[int]:
        """Return the column of each term in one block, or -1 for a term that the block does not count."""
        hits, columns = self._find(_hashes(_keys(terms, self._blocks[number].kind)))
        answer = np.full(len(terms), -1)
        answer[hits.any(axis=1)] = columns[:, self._positions[number]]
        return answer.tolist()

    def _add_to_cache(self, words: Iterable[str], cache: "_Cache") -> None:
        """Look words up and add them to the cache.

        A full cache becomes the older one, and an empty cache takes its place; words of the older one are carried over
        when they occur again.
        """
        in_titles, in_descriptions = cache
        older_titles, older_descriptions = self._older_cache
        carried = [(word, older_titles[word], older_descriptions[word]) for word in words if word in older_titles]
        found = self._look_up([word for word in words if word not in older_titles])
        for word, in_title, in_description in [*carried, *found]:
            in_descriptions[word] = in_description
            in_titles[word] = in_title  # last: another thread takes a word in here for known in both
            self._free_bytes -= _CACHE_BYTES_A_WORD + len(word) + len(in_title) + len(in_description)
        if self._free_bytes < 0:
            self._older_cache, self._cache, self._free_bytes = cache, ({}, {}), _CACHE_BYTES

    def _look_up(self, words: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield each word with the columns of the terms within it, in a title and in a description."""
        if not words:  # most of the time
            return
        keys: list[_Key] = []
        ends = [0]
        for word in words:
            keys.append((word,))
            keys += character_terms(word, self._shortest, self._longest)
            ends.append(len(keys))
        hits, columns = self._find(_hashes(keys, len(keys)))
        first = 0
        for word, (start, end) in zip(words, pairwise(ends), strict=True):
            own = columns[first : first + np.count_nonzero(hits[start:end])]
            first += len(own)
            yield word, _as_bytes(own[:, : self._last]), _as_bytes(own[:, self._first :])

    def _find(self, hashes: _Hashes) -> tuple[NDArray[np.bool_], Columns]:
        """Return where the hashes are (hashes x rows compared, bool) and the rows of those that are in the table."""
        # The shift keeps the sign, and a negative index counts from the end: right for hashes that begin with a one.
        rows = self._starts.take(hashes >> self._shift)[:, np.newaxis] + self._steps
        hits: NDArray[np.bool_] = self._hashes.take(rows) == hashes[:, np.newaxis]
        return hits, self._columns.take(rows[hits], axis=0)


# By word, the columns of the terms within it in titles, and in descriptions. Bytes are joined faster than arrays.
_Cache = tuple[dict[str, bytes], dict[str, bytes]]


def _keys(terms: Iterable[str], kind: Kind) -> Iterable[_Key]:
    """Return what is hashed for each term.

    Words and pairs are tuples. So a word and an n-gram of the same letters differ, and the pairs of a listing need not
    be joined to strings.
    """
    return terms if kind == "characters" else (tuple(term.split(" ")) for term in terms)


def _hashes(keys: Iterable[_Key], count: int = -1) -> _Hashes:
    return np.fromiter(map(hash, keys), np.int64, count)


def _as_bytes(columns: Columns) -> bytes:
    return columns[columns >= 0].tobytes()
