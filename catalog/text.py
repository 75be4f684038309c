"""From raw marketplace text to the terms that the classifier counts.

Training and serving share this one definition, so that both see the same terms by construction.
"""

import html
import re
import sys
import unicodedata
from itertools import pairwise

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_TAG_OR_COMMENT = re.compile(rf"{_TAG.pattern}|<!--.*?-->", re.DOTALL)
_ENDLESS_NUMBER = re.compile("&#[0-9]{4301,}")  # Python refuses to make a number of so many digits
_SLICE = re.compile(r".{1,1000}(?:\s|\Z)|.{1,1000}", re.DOTALL)
_COMBINING = re.compile(r"[\u0300-\u036f]+")
_WORD = re.compile(r"\w+")


def normalise(text: str) -> str:
    """Return the text without mark-up, case and accents, its words separated by one space.

    HTML entities are decoded (twice: listings are often escaped twice), tags become spaces, compatibility characters
    and ligatures are spelled out, accented letters keep their base letter: `T&eacute;l&eacute;phone<br/>` and
    `TÉLÉPHONE` both give `telephone`. No letter is ever lost.
    """
    if "&" in text:
        text = _unescaped(_unescaped(text))
    if "<" in text:
        # Only what comes before the last end of a comment can be one: each beginning would search all the rest for it.
        commented, end, rest = text.rpartition("-->")
        text = _TAG_OR_COMMENT.sub(" ", commented + end) + _TAG.sub(" ", rest)
    if not text.isascii():
        # Case folding can produce new combining marks (İ), hence before the decomposition.
        text = _COMBINING.sub("", _decomposed(text.casefold())).replace("œ", "oe").replace("æ", "ae")
    return " ".join(text.casefold().split())


def words(text: str, *, intern: bool = True) -> list[str]:
    """Return the words of a normalised text, digits and single characters included, in order.

    `intern` keeps one copy of each word, which saves hundreds of megabytes where a whole catalogue is held. A service
    must not: early releases of Python 3.12 never let go of an interned string.
    """
    found: list[str] = _WORD.findall(text)
    return [sys.intern(word) for word in found] if intern else found


def with_pairs(tokens: list[str]) -> list[str]:
    """Return the words and, as one term each, their pairs of neighbours: `"first second"`."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def character_terms(word: str, shortest: int, longest: int) -> tuple[str, ...]:
    """Return the character n-grams of one word, padded by a space on either side so that its ends are visible.

    Words recur, so what follows from these is to be kept by word, within bounds: this makes character terms affordable.
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
    # In slices, since the time for a run of combining marks grows with the square of its length.
    slices = _SLICE.findall(text) if len(text) > 1_000 else [text]
    return "".join(unicodedata.normalize("NFKD", part) for part in slices)
