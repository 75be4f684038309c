"""Which words a block reads, and which terms it counts in them."""

import pytest

from catalog.blocks import Block, Field

TITLE, DESCRIPTION = ["piscine", "ronde"], ["pompe"]


@pytest.mark.parametrize(
    ("field", "tokens"), [("title", TITLE), ("description", DESCRIPTION), ("both", [*TITLE, *DESCRIPTION])]
)
def test_a_block_reads_its_own_field(field: Field, tokens: list[str]) -> None:
    assert Block(field, "words").tokens(TITLE, DESCRIPTION) == tokens


def test_words_are_counted_alone_or_with_pairs() -> None:
    assert Block("title", "words", 1, 1).terms(["a", "b", "a"]) == ["a", "b", "a"]
    assert Block("title", "words", 1, 2).terms(["a", "b", "a"]) == ["a", "b", "a", "a b", "b a"]


def test_n_grams_stay_within_words() -> None:
    assert Block("title", "characters", 3, 4).terms(["jeu", "x"]) == [" je", "jeu", "eu ", " jeu", "jeu ", " x "]


@pytest.mark.parametrize("kind", ["words", "characters"])
def test_no_words_give_no_terms(kind: str) -> None:
    assert Block("title", kind).terms([]) == []  # type: ignore[arg-type]
