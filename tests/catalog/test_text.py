"""Normalising text: what is folded together, and that nothing is lost."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.text import character_terms, normalise, with_pairs, words


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("T&eacute;l&eacute;phone<br/>portable", "telephone portable"),
        ("TÉLÉPHONE", "telephone"),
        ("Straße und STRASSE", "strasse und strasse"),
        ("cœur, œuvre, Æon", "coeur, oeuvre, aeon"),
        ("L&amp;#39;&amp;eacute;t&amp;eacute;", "l'ete"),
        ("<p>Lot&nbsp;de <b>3</b></p>", "lot de 3"),
        ("écran < 5 cm et > 2 cm", "ecran < 5 cm et > 2 cm"),
        ("ﬁgurine №5", "figurine no5"),
        ("  deux \t mots\n", "deux mots"),
    ],
)
def test_mark_up_case_and_accents_are_folded(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@given(st.text(alphabet=st.characters(categories=("L", "N"))))
def test_no_letter_is_ever_lost(text: str) -> None:
    before = sum(unicodedata.category(character)[0] in "LN" for character in text)
    after = sum(unicodedata.category(character)[0] in "LN" for character in normalise(text))
    assert after >= before


@given(st.text())
def test_any_text_gives_words_without_spaces(text: str) -> None:
    assert all(word and not word.isspace() and " " not in word for word in words(normalise(text)))


def test_pairs_follow_the_words() -> None:
    assert with_pairs(["piscine", "gonflable", "ronde"]) == [
        "piscine", "gonflable", "ronde", "piscine gonflable", "gonflable ronde",
    ]  # fmt: skip


def test_character_terms_show_where_a_word_begins_and_ends() -> None:
    assert character_terms("jeu", 3, 4) == (" je", "jeu", "eu ", " jeu", "jeu ")
    assert character_terms("x", 3, 5) == (" x ",)
