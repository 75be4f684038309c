"""Normalised text: different forms of one word become equal, and no letter is lost."""

import sys
import unicodedata
from time import process_time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from catalog.text import character_terms, is_blank, label_key, normalise, visible, with_pairs, words, words_of_raw

# Characters that Unicode classifies as letters although they are marks without a letter, such as U+037A.
LONE_MARKS = "".join(
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(character)[0] == "L"
    and all(unicodedata.category(part)[0] in "MZ" for part in unicodedata.normalize("NFKD", character))
)
FILLERS = {"\u115f", "\u1160", "\u3164", "\uffa0"}  # of Hangul: letters that are not seen
OF_PLAIN_TEXT = st.characters(
    exclude_categories=("Cs",), exclude_characters="<&" + LONE_MARKS + "".join(FILLERS)
)  # no mark-up


def letters(text: str) -> int:
    return sum(unicodedata.category(character)[0] in "LN" for character in text)


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


@given(st.text(OF_PLAIN_TEXT))
def test_no_letter_is_lost(text: str) -> None:
    assert letters(normalise(text)) >= letters(text)


def test_every_letter_and_digit_of_unicode_is_kept() -> None:
    lost = {
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character)[0] in "LN" and not letters(normalise(character))
    }
    assert lost == set(LONE_MARKS) | FILLERS


@pytest.mark.parametrize(
    "unseen",
    ["\u00ad", "&shy;", "\u200b", "&#8203;", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200f", "\u202a", "\u2066",
     "\ufe0f", "\U000e0100", "\u034f", "\u3164", "\uffa0"],
)  # fmt: skip
def test_what_is_not_seen_does_not_split_a_word(unseen: str) -> None:
    assert words(normalise(f"télé{unseen}phone")) == ["telephone"]
    assert words(normalise(f"телe{unseen}фон")) == words(normalise("телeфон"))
    assert visible(f"Piscine{unseen if unseen[0] != '&' else ''}s") == "Piscines"


def test_every_format_character_and_variation_selector_is_removed() -> None:
    unseen = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) == "Cf" or "VARIATION SELECTOR" in unicodedata.name(character, "")
    ]
    assert len(unseen) > 400
    assert visible("".join(unseen)) == normalise("".join(unseen)) == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ﾊﾟｽ", "パス"),
        ("Ｐｏｏｌ　２", "pool 2"),
        ("①②", "12"),
        ("x²", "x2"),
        ("\u202bשלום\u202c", "שלום"),
        ("e\u200b\u0301te\u0301", "ete"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_compatibility_forms_and_direction_are_folded(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("バス", "パス"), ("ハス", "バス"), ("कि", "की"), ("दिन", "दीन"), ("มา", "ม้า"), ("가", "까"), ("ٱلله", "الله")],
)
def test_marks_of_other_scripts_make_other_words(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)
    assert words(normalise(one)) == [normalise(one)]
    assert words(normalise(unicodedata.normalize("NFD", one))) == [normalise(one)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("हिन्दी में किताब", ["हिन्दी", "में", "किताब"]),
        ("สวัสดี ครับ", ["สวัสดี", "ครับ"]),
        ("Ёлка и йод", ["елка", "и", "иод"]),
        ("Ἀθῆναι, Ελλάδα", ["αθηναι", "ελλαδα"]),
        ("Łódź Đà Nẵng", ["łodz", "đa", "nang"]),
        ("canapé バス", ["canape", "バス"]),
    ],
)
def test_accents_go_from_latin_greek_and_cyrillic_letters_alone(raw: str, expected: list[str]) -> None:
    assert words(normalise(raw)) == expected


def test_labels_keep_their_accents_and_may_differ_in_what_is_not_seen() -> None:
    assert label_key("  Pêche\u00a0&  Chasse\u200b") == label_key("pe\u0302che & chasse") != label_key("peche & chasse")


@pytest.mark.parametrize("text", ["", " \u00a0", "\u200b\ufeff", "\u3164", None, float("nan")])
def test_a_text_without_anything_that_is_seen_is_blank(text: object) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}x")


@given(st.text(OF_PLAIN_TEXT))
def test_normalised_text_does_not_change(text: str) -> None:
    once = normalise(text)
    # A compatibility form of < or & becomes one, and would be mark-up the second time. The only letter that changes the
    # second time is the small capital Æ (U+1D2D): its æ appears after æ is replaced.
    assume("<" not in once and "&" not in once and "\u1d2d" not in text)
    assert normalise(once) == once


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.characters(exclude_categories=())))
@example("&#1114112;&#xD800;&#0;&&amp;&amp")
@example("<" * 2_000 + "a" + ">" * 2_000)
@example("<!--" * 2_000)
def test_any_text_gives_words_without_spaces(text: str) -> None:
    found = words(normalise(text))
    assert all(word and not word.isspace() and " " not in word for word in found)
    assert words(" ".join(found)) == found


@given(st.text(max_size=60), st.integers(1, 6), st.integers(0, 4))
def test_the_number_of_character_terms_is_bounded(text: str, shortest: int, more: int) -> None:
    for word in words(normalise(text)):
        terms = character_terms(word, shortest, shortest + more)
        assert len(terms) <= (more + 1) * (len(word) + 2)
        assert all(shortest <= len(term) <= shortest + more and term in f" {word} " for term in terms)


@given(st.lists(st.text(OF_PLAIN_TEXT, min_size=1), max_size=20))
def test_the_number_of_pairs_is_bounded(tokens: list[str]) -> None:
    terms = with_pairs(tokens)
    assert terms[: len(tokens)] == tokens
    assert len(terms) == len(tokens) + max(len(tokens) - 1, 0)


@pytest.mark.parametrize(
    "text",
    ["<!--" * 25_000, "<a" * 50_000, "\u0301\u0323" * 50_000, "\u05b0\u05bc" * 50_000, "é" * 100_000, "&" * 100_000,
     f"&#{'1' * 99_000};", f"&amp;#{'1' * 99_000};"],
    ids=["comments", "tags", "accents", "other marks", "one word", "entities", "a number", "a number escaped twice"],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    started = process_time()
    words(normalise(text))
    assert process_time() - started < 1  # some of them once took 9 s


@pytest.mark.parametrize("length", [990, 999, 1_000, 1_001, 1_999, 5_000])
@pytest.mark.parametrize("separator", ["", " "])
def test_long_texts_are_normalised_as_short_ones(length: int, separator: str) -> None:
    text = separator.join(["É\u0323ﬁ"] * length)
    assert normalise(text) == separator.join(["efi"] * length)


def test_a_number_that_is_not_a_character_separates_words() -> None:
    assert words(normalise(f"avant&#{'9' * 5_000};après")) == ["avant", "apres"]


def test_pairs_come_after_the_words() -> None:
    assert with_pairs(["piscine", "gonflable", "ronde"]) == [
        "piscine", "gonflable", "ronde", "piscine gonflable", "gonflable ronde",
    ]  # fmt: skip


def test_character_terms_mark_the_beginning_and_end_of_a_word() -> None:
    assert character_terms("jeu", 3, 4) == [" je", "jeu", "eu ", " jeu", "jeu "]
    assert character_terms("x", 3, 5) == [" x "]


def test_a_mark_of_cyrillic_is_folded_whatever_else_the_text_holds() -> None:
    word = normalise("слово\u0483")
    assert word == "слово"
    assert normalise("слово\u0483 バス").split()[0] == word


latin_1 = st.text(st.characters(max_codepoint=255), max_size=60)
mark_up = st.sampled_from(
    ["&eacute;", "&amp;lt;b&gt;", "&#xFDFA;", "<br/>", "<!-- x -->", "\u0153", "\u2019", "\u4e2d"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(latin_1 | mark_up | st.text(max_size=10), max_size=6).map("".join))
def test_the_words_of_a_raw_text_are_those_of_its_normalised_form(text: str) -> None:
    assert words_of_raw(text) == words(normalise(text), intern=False)


def test_the_words_of_a_raw_text_are_right_for_all_neighbours_in_latin_1() -> None:
    characters = [chr(code) for code in range(256)]
    for first in characters:
        text = " ".join(f"a{first}{second}b" for second in characters if second not in "\xad<>&")
        assert words_of_raw(text) == words(normalise(text), intern=False)
