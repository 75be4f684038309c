"""From raw marketplace text to the terms that the classifier counts.

Training and serving share this one definition, so that both see the same terms by construction.
"""

import html
import re
import sys
import unicodedata
from functools import lru_cache
from itertools import pairwise

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_COMBINING = re.compile(r"[\u0300-\u036f]+")
_WORD = re.compile(r"\w+")


def normalise(text: str) -> str:
    """Return the text without mark-up, case and accents, its words separated by one space.

    HTML entities are decoded (twice: listings are often escaped twice), tags become spaces, compatibility characters
    and ligatures are spelled out, accented letters keep their base letter: `T&eacute;l&eacute;phone<br/>` and
    `TÉLÉPHONE` both give `telephone`. No letter is ever lost.
    """
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    if not text.isascii():
        # Case folding can produce new combining marks (İ), hence before the decomposition.
        text = _COMBINING.sub("", unicodedata.normalize("NFKD", text.casefold())).replace("œ", "oe").replace("æ", "ae")
    return " ".join(text.casefold().split())


def words(text: str) -> list[str]:
    """Return the words of a normalised text, digits and single characters included, in order."""
    # Interned: a catalogue repeats its words so often that one copy of each saves hundreds of megabytes.
    return [sys.intern(word) for word in _WORD.findall(text)]


def with_pairs(tokens: list[str]) -> list[str]:
    """Return the words and, as one term each, their pairs of neighbours: `"first second"`."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


@lru_cache(maxsize=65_536)
def character_terms(word: str, shortest: int, longest: int) -> tuple[str, ...]:
    """Return the character n-grams of one word, padded by a space on either side so that its ends are visible.

    Words recur, so the answers are kept: this is what makes character terms affordable.
    """
    padded = f" {word} "
    return tuple(
        padded[start : start + length]
        for length in range(shortest, min(longest, len(padded)) + 1)
        for start in range(len(padded) - length + 1)
    )
