"""The hash table finds the columns that a plain dictionary of all terms gives."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.blocks import Block
from catalog.vocabulary import Vocabulary

BLOCKS = [
    Block("both", "words", 1, 2), Block("title", "characters", 2, 4), Block("description", "words", 1, 2),
    Block("both", "characters", 1, 3), Block("title", "words", 1, 2),
]  # fmt: skip
KNOWN = [["ab", "ba", "abba", "a", "ab", "ba"], ["ba", "b", "ab", "aabb"]]  # title and description
some_words = st.lists(st.text("abc", min_size=1, max_size=4), max_size=6)


def learned(blocks: Sequence[Block]) -> list[list[str]]:
    """The terms of each block in the known listing, without repetition."""
    return [sorted(set(block.terms(block.tokens(KNOWN[0], KNOWN[1])))) for block in blocks]


def expected_columns(
    blocks: Sequence[Block], terms: Sequence[Sequence[str]], title: list[str], description: list[str]
) -> list[int]:
    """The columns by definition: of each block in turn, those of all its terms."""
    columns, first = [], 0
    for block, own in zip(blocks, terms, strict=True):
        column_of = {term: first + number for number, term in enumerate(own)}
        columns += [column_of[term] for term in block.terms(block.tokens(title, description)) if term in column_of]
        first += len(own)
    return sorted(columns)


def found_columns(vocabulary: Vocabulary, title: list[str], description: list[str]) -> list[int]:
    """The columns that the vocabulary gives, without the guards, whose places are checked here."""
    columns = vocabulary.columns(title, description).tolist()
    assert columns == sorted(columns)
    assert columns[0] == -1
    assert columns[-1] == np.iinfo(np.int32).max
    return [column for column in columns[:-1] if column >= 0]


@given(some_words, some_words)
def test_the_columns_of_a_listing_are_those_of_all_its_terms(title: list[str], description: list[str]) -> None:
    terms = learned(BLOCKS)
    vocabulary = Vocabulary(BLOCKS, terms)
    for _ in range(2):  # the words are new, and then they are in the cache
        assert found_columns(vocabulary, title, description) == expected_columns(BLOCKS, terms, title, description)


@given(st.lists(st.tuples(some_words, some_words), min_size=1, max_size=5))
def test_many_listings_have_the_columns_of_each(listings: list[tuple[list[str], list[str]]]) -> None:
    terms = learned(BLOCKS)
    vocabulary = Vocabulary(BLOCKS, terms)
    for _ in range(2):
        columns, ends = vocabulary.columns_of_many(listings)
        assert ends[-1] == len(columns)
        for listing, start, end in zip(listings, [0, *ends], ends, strict=False):
            own = columns[start:end].tolist()
            assert own == sorted(own)
            assert [column for column in own if column >= 0] == expected_columns(BLOCKS, terms, *listing)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_one_block_is_enough(block: Block) -> None:
    terms = learned([block])
    assert found_columns(Vocabulary([block], terms), *KNOWN) == expected_columns([block], terms, *KNOWN)


def test_the_bounds_are_the_first_column_of_each_block_and_the_number_of_columns() -> None:
    vocabulary = Vocabulary(BLOCKS[:3], [["a", "b"], [], ["c"]])
    assert vocabulary.bounds.tolist() == [0, 2, 2, 3]


def test_a_vocabulary_without_terms_knows_nothing() -> None:
    assert found_columns(Vocabulary(BLOCKS, [[] for _ in BLOCKS]), *KNOWN) == []


def test_a_word_and_an_n_gram_of_the_same_letters_are_different_terms() -> None:
    blocks = [Block("title", "words", 1, 1), Block("title", "characters", 2, 2)]
    vocabulary = Vocabulary(blocks, [["ab"], ["ab"]])
    assert found_columns(vocabulary, ["ab"], []) == [0, 1]
    assert found_columns(vocabulary, ["abb"], []) == [1]


def test_each_term_of_one_block_is_found() -> None:
    terms = learned(BLOCKS)
    vocabulary = Vocabulary(BLOCKS, terms)
    for number, own in enumerate(terms):
        first = vocabulary.bounds[number]
        wanted = [*own, "unknown", own[0]]
        columns = [*range(first, first + len(own)), -1, first]
        assert vocabulary.columns_in_block(wanted, number) == columns
    assert vocabulary.columns_in_block([], 0) == []


def test_a_term_of_another_block_is_not_found() -> None:
    vocabulary = Vocabulary([Block("title", "words"), Block("both", "words")], [["a"], ["b"]])
    assert vocabulary.columns_in_block(["a", "b"], 0) == [0, -1]
    assert vocabulary.columns_in_block(["a", "b"], 1) == [-1, 1]


def test_the_cache_of_words_is_bounded_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.vocabulary._CACHE_BYTES", 5_000)
    terms = learned(BLOCKS)
    vocabulary = Vocabulary(BLOCKS, terms)
    for number in range(200):
        title, description = [f"a{number}", *KNOWN[0]], [f"b{number % 7}", "ab"]
        assert found_columns(vocabulary, title, description) == expected_columns(BLOCKS, terms, title, description)
        assert all(len(cache) < 30 for caches in (vocabulary._cache, vocabulary._older_cache) for cache in caches)
