"""The vocabulary of a served model: from the words of a listing to the columns of its terms."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Block
from catalog.term_table import Columns, Key, TermTable, hashes_of, keys_of
from catalog.text import character_terms

_CACHE_BYTES = 4 * 2**20  # the limit of each of two generations of the word cache: about 9,000 words
_CACHE_BYTES_A_WORD = 220  # what Python needs for an entry besides the word's letters and its columns
# Before and after a listing's ascending columns, so that each run of equal columns has a neighbour on both sides.
_GUARDS = np.array([-1, np.iinfo(np.int32).max], dtype=np.int32).tobytes()

Tokens = tuple[list[str], list[str]]  # the words of the title and those of the description
Numbers = NDArray[np.int64]


class Vocabulary:
    """Finds columns in a hash table of all terms (`catalog.term_table`).

    The columns of the terms within a word are cached by word, since words recur. Any number of threads may share one.
    """

    def __init__(self, blocks: Sequence[Block], terms: Iterable[Iterable[str]]) -> None:
        """Build the table from the terms of each block, in column order."""
        hashes = [hashes_of(keys_of(own, block.kind)) for block, own in zip(blocks, terms, strict=True)]
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
        self._table = TermTable(hashes, self._positions)
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
            self._add_to_cache({*title, *description}.difference(in_titles), cache)
            found = [*map(in_titles.__getitem__, title), *map(in_descriptions.__getitem__, description)]
        tokens = title + description
        hits, pairs = self._table.find(hashes_of(pairwise(tokens), max(len(tokens) - 1, 0)))
        in_title, not_in_description = (np.count_nonzero(hits[:end]) for end in (max(len(title) - 1, 0), len(title)))
        pairs[in_title:, : self._first] = -1
        pairs[:not_in_description, self._last :] = -1
        return np.sort(np.frombuffer(b"".join([*found, pairs.tobytes(), _GUARDS]), np.int32))

    def columns_of_many(self, listings: Sequence[Tokens]) -> tuple[Columns, Numbers]:
        """Return what `columns` does for each of at least one listing: all of them in one array, and where each ends.

        There are no guards; any number of -1 may come before the columns of a listing.
        """
        cache = self._cache
        tokens = list(chain.from_iterable(chain.from_iterable(listings)))
        pairs, ends = self._pairs_of_many(tokens, listings)
        bounds_of_pairs = [*pairwise((ends * pairs.itemsize).tolist())]
        try:
            parts = _joined(listings, cache, pairs.tobytes(), bounds_of_pairs)
        except KeyError:
            self._add_to_cache(set(tokens).difference(cache[0]), cache)
            parts = _joined(listings, cache, pairs.tobytes(), bounds_of_pairs)
        columns = np.frombuffer(bytearray().join(parts), np.int32)
        bounds = np.fromiter(accumulate(map(len, parts), initial=0), np.int64, len(parts) + 1) // columns.itemsize
        for start, end in pairwise(bounds.tolist()):
            columns[start:end].sort()  # faster than to sort all of them by listing and column
        return columns, bounds[1:]

    def _pairs_of_many(self, tokens: list[str], listings: Sequence[Tokens]) -> tuple[Columns, Numbers]:
        """Return the columns of all pairs of neighbouring words of listings, and where those of each begin and end."""
        sizes = np.array([(len(title), len(description)) for title, description in listings])
        ends = sizes.sum(axis=1).cumsum()
        hits, pairs = self._table.find(hashes_of(pairwise(tokens), max(len(tokens) - 1, 0)))
        first_words = hits.nonzero()[0]
        listing = ends.searchsorted(first_words, side="right")
        title_end, end = (ends - sizes[:, 1]).take(listing), ends.take(listing)
        pairs[first_words + 1 >= title_end, : self._first] = -1
        pairs[first_words < title_end, self._last :] = -1
        pairs[first_words + 1 == end] = -1  # the last word of a listing and the first one of the next
        return pairs.ravel(), first_words.searchsorted(np.append(0, ends)) * pairs.shape[1]

    def new_words(self, listings: Sequence[Tokens]) -> set[str]:
        """Return the words of listings that are not in the cache."""
        return set().union(*chain.from_iterable(listings)).difference(self._cache[0])

    def remember(self, words: Iterable[str]) -> None:
        """Look words up, so that `columns` finds them in its cache."""
        cache = self._cache
        self._add_to_cache([word for word in words if word not in cache[0]], cache)

    def columns_in_block(self, terms: Sequence[str], number: int) -> list[int]:
        """Return the column of each term in one block, or -1 for a term that the block does not count."""
        hits, columns = self._table.find(hashes_of(keys_of(terms, self._blocks[number].kind)))
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
        """Return each word with the columns of the terms within it, in a title and in a description."""
        if not words:  # most of the time
            return iter(())
        keys: list[Key] = []
        ends = [0]
        for word in words:
            keys.append((word,))
            keys += character_terms(word, self._shortest, self._longest)
            ends.append(len(keys))
        hits, columns = self._table.find(hashes_of(keys, len(keys)))
        ends_in_columns = hits.nonzero()[0].searchsorted(ends)
        in_titles = _by_word(columns[:, : self._last], ends_in_columns)
        in_descriptions = _by_word(columns[:, self._first :], ends_in_columns)
        return zip(words, in_titles, in_descriptions, strict=True)


# By word, the columns of the terms within it in titles, and in descriptions. Bytes are joined faster than arrays.
_Cache = tuple[dict[str, bytes], dict[str, bytes]]


def _joined(listings: Sequence[Tokens], cache: _Cache, pairs: bytes, bounds: Sequence[tuple[int, int]]) -> list[bytes]:
    """Return the columns of each listing: those within its words, from the cache, and those of its pairs of words.

    Raises `KeyError` for a word that is not in the cache.
    """
    in_title, in_description = (columns.__getitem__ for columns in cache)
    return [
        b"".join([*map(in_title, title), *map(in_description, description), pairs[start:end]])
        for (title, description), (start, end) in zip(listings, bounds, strict=True)
    ]


def _by_word(columns: Columns, ends: Numbers) -> list[bytes]:
    """Return the columns that are not -1, cut after the rows of each word."""
    places = (columns >= 0).ravel().nonzero()[0]
    known = columns.ravel().take(places)
    bounds = places.searchsorted(ends * columns.shape[1]) * known.itemsize
    known_bytes = known.tobytes()
    return [known_bytes[start:end] for start, end in pairwise(bounds.tolist())]
