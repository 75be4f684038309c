"""The language of a listing, as far as its words tell."""

import pytest

from catalog.language import UNDETERMINED, detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Lot de 3 coussins pour chaise de jardin", "fr"),
        ("Housse étanche", "fr"),
        ("Wooden garden chair with a cushion for the house", "en"),
        ("Gartenstuhl aus Holz mit Kissen für den Garten", "de"),
        ("<p>Cette piscine est livr&eacute;e avec une pompe</p>", "fr"),
    ],
)
def test_function_words_and_letters_tell(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "XJ-4520", "120x60", "!!!"])
def test_what_tells_nothing_is_undetermined(text: str) -> None:
    assert detect_language(text) == UNDETERMINED
