"""The identity of a listing's text, which decides its split. Frozen: a change would move rows between the splits.

Rows that move into the test split are rows that the version in production was trained on, so the comparison with it
would be wrong. Therefore this module has a normalisation of its own and imports nothing from `catalog.text`, which may
change with the model. Whoever must change it raises `KEY_VERSION` and starts with `--new-baseline`.
"""

import hashlib
import html
import re
import unicodedata
from typing import Literal

KEY_VERSION = 1

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_TAG_OR_COMMENT = re.compile(rf"{_TAG.pattern}|<!--.*?-->", re.DOTALL)
_ENDLESS_NUMBER = re.compile("&#[0-9]{4301,}")
_SLICE = re.compile(r".{1,1000}(?:\s|\Z)|.{1,1000}", re.DOTALL)
# Format characters (category Cf), variation selectors and the fillers of Hangul.
_INVISIBLES = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Accents, except those on a letter of a script other than Latin, Greek and Cyrillic.
_ACCENT = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_OTHER_SCRIPT = (
    "\u0530-\u1aaf\u1b00-\u1c7f\u1c90-\u1cff\u2c80-\u2dff\u2e80-\ua63f\ua6a0-\ua71f\ua800-\uab2f\uab70-\ufe1f"
    "\U00010000-\U0010ffff"
)
_ACCENTS = re.compile(f"[{_ACCENT}](?<![{_OTHER_SCRIPT}{_ACCENT}].)[{_ACCENT}]*")


def text_key(title: str, description: str | None) -> str:
    """Return the identity of a listing's text: a SHA-256 of both fields, normalised.

    Two texts have one key if they differ only in mark-up, case, white space, accents of Latin, Greek and Cyrillic
    letters, compatibility forms and characters that are not seen.
    """
    return key_of(text_form(title, description))


def text_form(title: str, description: str | None) -> str:
    """Return the normalised text that the key is computed from: both fields, with a unit separator between them."""
    return f"{_form(title)}\x1f{_form(description or '')}"


def key_of(form: str) -> str:
    """Return the key of a normalised text."""
    return hashlib.sha256(form.encode()).hexdigest()


def _form(text: str) -> str:
    if "&" in text:
        text = _unescaped(_unescaped(text))
    if "<" in text:
        commented, end, rest = text.rpartition("-->")
        text = _TAG_OR_COMMENT.sub(" ", commented + end) + _TAG.sub(" ", rest)
    if not text.isascii():
        text = _INVISIBLES.sub("", _in_form("NFKD", text.casefold()))
        text = _in_form("NFC", _ACCENTS.sub("", text).casefold()).replace("œ", "oe").replace("æ", "ae")
    return " ".join(text.casefold().split())


def _unescaped(text: str) -> str:
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text) if "&#" in text else text)


def _in_form(form: Literal["NFC", "NFKD"], text: str) -> str:
    slices = _SLICE.findall(text) if len(text) > 1_000 else [text]
    return "".join(unicodedata.normalize(form, part) for part in slices)
