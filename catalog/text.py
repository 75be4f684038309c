"""From raw marketplace text to the terms that the classifier counts.

Training and serving share these functions, so that both see the same terms. Labels and languages use `visible`; only
the model folds accents. `catalog.split_key` has a frozen normalisation of its own.
"""

import html
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Literal

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_TAG_OR_COMMENT = re.compile(rf"{_TAG.pattern}|<!--.*?-->", re.DOTALL)
_ENDLESS_NUMBER = re.compile("&#[0-9]{4301,}")  # Python refuses to convert so many digits to a number
_SLICE = re.compile(r".{1,1000}(?:\s|\Z)|.{1,1000}", re.DOTALL)
# Characters that are not seen: those of the category Cf (soft hyphen, zero-width space and joiners, marks of direction,
# byte order mark, tags), variation selectors, and the fillers of Hangul.
_INVISIBLE = (
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLES = re.compile(f"[{_INVISIBLE}]+")
# Latin, Greek, Cyrillic, punctuation and symbols, all of it visible. In a text of these every accent is folded.
_EUROPEAN = "\x00-\xac\xae-\u0482\u048a-\u052f\u1e00-\u200a\u2010-\u2029\u202f-\u205f\u2070-\u20cf\u2100-\u2bff"
_ELSEWHERE = re.compile(f"[^{_EUROPEAN}]")
_ACCENT = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_OTHER_SCRIPT = (
    "\u0530-\u1aaf\u1b00-\u1c7f\u1c90-\u1cff\u2c80-\u2dff\u2e80-\ua63f\ua6a0-\ua71f\ua800-\uab2f\uab70-\ufe1f"
    "\U00010000-\U0010ffff"
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_ACCENTS_OF_EUROPE = re.compile(f"[{_ACCENT}](?<![{_OTHER_SCRIPT}{_ACCENT}].)[{_ACCENT}]*")
_WORD = re.compile(r"\w+")
_PLAIN = re.compile("[A-Za-z0-9]")  # seen, whatever is beside it
_LATIN = "latin-1"


def visible(text: str) -> str:
    """Return the text in its compatibility form (NFKC) and without characters that are not seen.

    Two texts that look the same are then equal: `ﬁn`, and `fin` with a soft hyphen in it, both give `fin`. Zero-width
    spaces and joiners are removed too, so they do not end a word.
    """
    if text.isascii():
        return text
    seen = _INVISIBLES.sub("", text) if _may_hide(text) else text
    composed = _in_form("NFKC", seen)
    return composed if composed == seen else _INVISIBLES.sub("", composed)  # a compatibility form may be invisible


def _may_hide(text: str) -> bool:
    """Return whether a text may have unseen characters. Most have none, and this is quicker than to remove them."""
    return _ELSEWHERE.search(text) is not None or "\u034f" in text  # the only one of them in the European ranges


def is_blank(text: object) -> bool:
    """Return whether a text is missing, or has nothing that is seen."""
    if isinstance(text, str) and _PLAIN.search(text):  # nearly all texts: their form need not be made
        return False
    return not isinstance(text, str) or not visible(text).strip()


def label_key(label: str) -> str:
    """Return what two labels of one type have in common: they may differ in case, white space and unseen characters."""
    return " ".join(visible(label).casefold().split())


def normalise(text: str) -> str:
    """Return the text without mark-up, case, invisible characters and accents, its words separated by one space.

    HTML entities are decoded (twice, since listings are often escaped twice). Tags become spaces. Compatibility
    characters and ligatures are replaced by plain letters. Letters of the Latin, Greek and Cyrillic scripts lose their
    accents: `T&eacute;l&eacute;phone<br/>` and `TÉLÉPHONE` both give `telephone`. Marks of other scripts make other
    letters (`バ` is not `ハ`) and stay. No letter is removed.
    """
    return _folded(_without_markup(text))


def _without_markup(text: str) -> str:
    if "&" in text:
        text = unescaped(unescaped(text))
    return blanked_markup(text) if "<" in text else text


def _folded(text: str) -> str:
    if not text.isascii():
        # Case folding can add combining marks (İ), so it comes before they are removed.
        text = _in_form("NFKD", text.casefold())
        folded = _ACCENTS.sub("", text)
        if not folded.isascii():
            folded = _folded_elsewhere(text) if _ELSEWHERE.search(folded) else folded
            folded = folded.replace("œ", "oe").replace("æ", "ae")
        text = folded
    return " ".join(text.casefold().split())


def words(text: str, *, intern: bool = True) -> list[str]:
    """Return the words of a normalised text in order, with numbers and single characters.

    `intern` keeps one copy of each word, which saves hundreds of megabytes when a whole catalogue is in memory. A
    service must not intern: early releases of Python 3.12 never free an interned string.
    """
    found: list[str] = word_pattern(text).findall(text)
    return [sys.intern(word) for word in found] if intern else found


def words_of_raw(text: str) -> list[str]:
    """Return what `words(normalise(text), intern=False)` does: for most texts in a third of the time."""
    text = _without_markup(text)
    with suppress(UnicodeEncodeError):
        encoded = text.encode(_LATIN)
        plain, folds = _latin_folds()
        if not encoded.translate(None, plain):
            return encoded.translate(folds).decode("ascii").split()
    return words(_folded(text), intern=False)


def word_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a word in this normalised text."""
    return _WORD if text.isascii() else _marked_word()


def blanked_markup(text: str) -> str:
    """Return the text with spaces in place of tags and comments: as many as they have characters."""
    if "<" not in text:
        return text
    # Comments are searched only before the last "-->". Otherwise each "<!--" would search all the rest of the text.
    commented, end, rest = text.rpartition("-->")
    return _TAG_OR_COMMENT.sub(_blanks, commented + end) + _TAG.sub(_blanks, rest)


def clusters(text: str) -> Iterator[str]:
    """Yield the parts of a text that can be normalised apart: runs of ASCII, and single characters of others.

    Marks and unseen characters are in one part with the character before them.
    """
    return iter([text]) if text.isascii() else (match[0] for match in _cluster().finditer(text))


def with_pairs(tokens: list[str]) -> list[str]:
    """Return the words, and after them each pair of neighbouring words as one term: `"first second"`."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def character_terms(word: str, shortest: int, longest: int) -> list[str]:
    """Return the character n-grams of one word, with a space before and after it to mark its beginning and end.

    Words recur. To be fast, callers compute what they need from the n-grams once a word and cache it, within bounds.
    """
    padded = f" {word} "
    return [
        padded[start : start + length]
        for length in range(shortest, min(longest, len(padded)) + 1)
        for start in range(len(padded) - length + 1)
    ]


def unescaped(text: str) -> str:
    """Return the text with its HTML entities decoded once."""
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text) if "&#" in text else text)


def _folded_elsewhere(text: str) -> str:
    """Fold the accents of Latin, Greek and Cyrillic letters in a decomposed text that has other characters too."""
    text = _ACCENTS_OF_EUROPE.sub("", _INVISIBLES.sub("", text))
    return _in_form("NFC", text.casefold())


@cache
def _latin_folds() -> tuple[bytes, bytes]:
    """Return the characters of Latin-1 that are one ASCII character of a word, or between words, whatever is beside
    them; and a table of what normalisation makes of each, or a space between words.

    Bytes are translated ten times as fast as patterns and Unicode forms are applied.
    """
    plain, folds = bytearray(), bytearray(256)
    for code in range(256):
        found = " ".join(words(normalise(f"a{chr(code)}b"), intern=False))
        if found.isascii() and len(found) == 3:
            plain.append(code)
            folds[code] = ord(found[1])
    return bytes(plain), bytes(folds)


@cache
def _marked_word() -> re.Pattern[str]:
    """Return the pattern of a word in any script: letters and digits, each with the marks that follow it.

    Python's `\\w` does not match marks, so a word of Devanagari would end at each of its vowels.
    """
    return re.compile(rf"\w+(?:[{_marks()}]+\w*)*")


@cache
def _cluster() -> re.Pattern[str]:
    follows = f"[{_marks()}{_INVISIBLE}]"
    return re.compile(rf"[\x00-\x7f]+(?!{follows})|.{follows}*", re.DOTALL)


@cache
def _marks() -> str:
    return "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M")


def _blanks(match: re.Match[str]) -> str:
    return " " * (match.end() - match.start())


def _in_form(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    # In slices: the time for a sequence of combining marks grows with the square of its length.
    slices = _SLICE.findall(text) if len(text) > 1_000 else [text]
    return "".join(unicodedata.normalize(form, part) for part in slices)
