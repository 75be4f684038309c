"""From raw marketplace text to the terms that the classifier counts.

Training and serving share these functions, so that both see the same terms.
"""

import html
import re
import sys
import unicodedata
from itertools import pairwise

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_TAG_OR_COMMENT = re.compile(rf"{_TAG.pattern}|<!--.*?-->", re.DOTALL)
_ENDLESS_NUMBER = re.compile("&#[0-9]{4301,}")  # Python refuses to convert so many digits to a number
_SLICE = re.compile(r".{1,1000}(?:\s|\Z)|.{1,1000}", re.DOTALL)
_COMBINING = re.compile(r"[\u0300-\u036f]+")
_WORD = re.compile(r"\w+")


def normalise(text: str) -> str:
    """Return the text without mark-up, case and accents, its words separated by one space.

    HTML entities are decoded (twice, since listings are often escaped twice). Tags become spaces. Compatibility
    characters and ligatures are replaced by plain letters. Accented letters keep their base letter:
    `T&eacute;l&eacute;phone<br/>` and `TÉLÉPHONE` both give `telephone`. No letter is removed.
    """
    if "&" in text:
        text = _unescaped(_unescaped(text))
    if "<" in text:
        # Comments are searched only before the last "-->". Otherwise each "<!--" would search all the rest of the text.
        commented, end, rest = text.rpartition("-->")
        text = _TAG_OR_COMMENT.sub(" ", commented + end) + _TAG.sub(" ", rest)
    if not text.isascii():
        # Case folding can add combining marks (İ), so it comes before they are removed.
        text = _COMBINING.sub("", _decomposed(text.casefold())).replace("œ", "oe").replace("æ", "ae")
    return " ".join(text.casefold().split())


def words(text: str, *, intern: bool = True) -> list[str]:
    """Return the words of a normalised text in order, with numbers and single characters.

    `intern` keeps one copy of each word, which saves hundreds of megabytes when a whole catalogue is in memory. A
    service must not intern: early releases of Python 3.12 never free an interned string.
    """
    found: list[str] = _WORD.findall(text)
    return [sys.intern(word) for word in found] if intern else found


def with_pairs(tokens: list[str]) -> list[str]:
    """Return the words, and after them each pair of neighbouring words as one term: `"first second"`."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def character_terms(word: str, shortest: int, longest: int) -> tuple[str, ...]:
    """Return the character n-grams of one word, with a space before and after it to mark its beginning and end.

    Words recur. To be fast, callers compute what they need from the n-grams once a word and cache it, within bounds.
    """
    padded = f" {word} "
    return tuple(
        padded[start : start + length]
        for length in range(shortest, min(longest, len(padded)) + 1)
        for start in range(len(padded) - length + 1)
    )


def _unescaped(text: str) -> str:
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text) if "&#" in text else text)


def _decomposed(text: str) -> str:
    # In slices: the time for a sequence of combining marks grows with the square of its length.
    slices = _SLICE.findall(text) if len(text) > 1_000 else [text]
    return "".join(unicodedata.normalize("NFKD", part) for part in slices)
