"""The language of a listing is detected by its words."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.language import UNDETERMINED, detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Lot de 3 coussins pour chaise de jardin", "fr"),
        ("Housse étanche", "fr"),
        ("Housse e\u0301tanche", "fr"),
        ("Cous\u00adsin cha\u200bise", "fr"),
        ("Wooden garden chair with a cushion for the house", "en"),
        ("Gartenstuhl aus Holz mit Kissen für den Garten", "de"),
        ("<p>Cette piscine est livr&eacute;e avec une pompe</p>", "fr"),
    ],
)
def test_the_language_is_detected_by_words_and_letters(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "XJ-4520", "120x60", "!!!"])
def test_a_text_without_known_words_is_undetermined(text: str) -> None:
    assert detect_language(text) == UNDETERMINED


pieces = st.sampled_from(
    ["le", "The", "DER", "été", "Größe", "état", "&eacute;", "<b>", "\u00ad", "´", "½", "µ", "ª", " "]
)


@given(st.lists(pieces | st.text(st.characters(max_codepoint=255), max_size=5), max_size=40).map("".join))
@example("livr&\u00adeacute;e ½ le &a½b; der")
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_text_in_latin_1_has_the_same_language_beside_a_word_in_another_script(text: str) -> None:
    assert detect_language(text) == detect_language(f"{text} \u4e2d")
