"""The terms of an explanation are found in the text as it was sent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blocks import Field, Kind
from catalog.predictor import Reason
from catalog.spans import TermLocator
from catalog.text import character_terms, normalise, with_pairs, words

_PIECES = [
    "piscine", "Été", "ETE\u0301", "Cœur", "Straße", "pis\u00adcine", "T&eacute;l&amp;eacute;", "ﬁn", "İzmir", "Ωμέγα",
    "バッグ", "हिन्दी", "가방", "é", "a", "7", "&", "&nbsp;", "&lt;b&gt;", "<b>", "</b>", "<p class='été'>",
    "<!-- piscine -->", "<", ">", "-", "'", " ", "  ", "\n", ",", "\u0301", "\u200b", "&#233;", "&#xe9", "&notit;", "¨",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join) | st.text(max_size=30)
PLAIN = st.text("abcXYZéÈüñçÅ0123 ,.-'/\n", max_size=60)


def places(
    term: str, title: str, description: str | None = None, kind: Kind = "words", field: Field = "both"
) -> list[str]:
    found = TermLocator(title, description).spans(Reason(term, field, kind, 1.0))
    return [{"designation": title, "description": description or ""}[at.field][at.start : at.end] for at in found]


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("piscine", "Piscine, PISCINE et piscines", ["Piscine", "PISCINE"]),
        ("ete", "L'été d'Ete\u0301", ["été", "Ete\u0301"]),
        ("telephone", "<b>T&eacute;l&amp;eacute;phone</b>", ["T&eacute;l&amp;eacute;phone"]),
        ("coeur", "un Cœur", ["Cœur"]),
        ("piscine", "pis\u00adcine", ["pis\u00adcine"]),
        ("piscine ronde", "Piscine <br/>\n ronde, piscine ovale", ["Piscine <br/>\n ronde"]),
        ("バック", "バッグ バック", ["バック"]),
        ("b", "<b>piscine</b> &lt;b&gt;", []),
        ("piscine", "<img alt='piscine'> <!-- piscine -->", []),
        ("x", "piscine", []),
    ],
)
def test_a_word_is_found_as_it_was_written(term: str, text: str, expected: list[str]) -> None:
    assert places(term, text) == expected


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("·pisc", "Piscine apiscine", ["Pisc"]),
        ("ine·", "Piscine ronde", ["ine"]),
        ("té", "été", []),
        ("ana", "banana", ["ana", "ana"]),
        ("ete·", "l'&eacute;t&eacute;", ["&eacute;t&eacute;"]),
        ("oe", "cœur coeur", ["œ", "oe"]),
        ("coe", "cœur", ["cœ"]),
        ("eur·", "cœur", []),
    ],
)
def test_an_n_gram_is_found_in_its_words(term: str, text: str, expected: list[str]) -> None:
    assert places(term, text, kind="characters") == expected


@pytest.mark.parametrize(
    ("field", "expected"), [("title", ["Lot"]), ("description", ["lot"]), ("both", ["Lot", "lot"])]
)
def test_a_term_is_looked_for_in_its_field(field: Field, expected: list[str]) -> None:
    assert places("lot", "Lot", "un lot", field=field) == expected


def test_a_pair_whose_words_are_in_two_fields_has_no_place() -> None:
    assert places("piscine ronde", "Piscine", "ronde") == []


def test_of_a_term_that_is_there_often_the_first_places_are_named() -> None:
    assert len(places("a", "a " * 5_000)) == 100


@given(title=TEXTS, description=TEXTS)
@settings(max_examples=150, deadline=None)
def test_the_text_at_each_place_gives_the_term(title: str, description: str) -> None:
    texts = {"designation": title, "description": description}
    locator = TermLocator(title, description)
    tokens = [*words(normalise(title)), *words(normalise(description))]
    for term in with_pairs(tokens):
        for at in locator.spans(Reason(term, "both", "words", 1.0)):
            assert " ".join(words(normalise(texts[at.field][at.start : at.end]))) == term
    for term in {gram for token in tokens for gram in character_terms(token, 2, 4)}:
        for at in locator.spans(Reason(term.replace(" ", "·"), "both", "characters", 1.0)):
            assert words(normalise(texts[at.field][at.start : at.end])) == [term.strip()]


@given(text=PLAIN)
@settings(max_examples=150, deadline=None)
def test_in_a_text_without_mark_up_every_word_is_found_as_often_as_it_is_there(text: str) -> None:
    tokens = words(normalise(text))
    for word in set(tokens):
        assert len(places(word, text)) == tokens.count(word)
