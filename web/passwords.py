"""Which passwords are refused: short ones, common ones, and those about their owner."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from web.secret_store import WeakSecretError

# Characters. Longer passwords are refused since an attacker could keep the service busy with hashing them.
_SHORTEST, _LONGEST = 12, 128
_DIFFERENT = 6  # characters that a password must have at least
# Parts that a password must have at least. A character is a part. But a common word counts as two parts only, and a
# walk on the keyboard, a sequence, a year or the same character in a row as one, since they are tried first. What is
# repeated counts as none.
_PARTS = 8
_OF_WORD, _OF_WALK, _OF_REPETITION = 2, 1, 0
_SHORTEST_NAME = 3  # characters: shorter names are in many good passwords by chance
_COMMON = Path(__file__).with_name("common_passwords.txt")
_OWN_WORDS = frozenset({
    "admin", "administrator", "azerty", "bento", "changeme", "default", "example", "motdepasse", "passwort",
    "prediction", "product", "rakuten", "secret", "service", "welcome", "bonjour", "willkommen",
})  # fmt: skip
_WALKS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop", "yxcvbnm",
    "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "012345678901", "!@#$%^&*()_+",
)  # fmt: skip
_ON_KEYS = tuple(walk[::step] for walk in _WALKS for step in (1, -1))
_SHORTEST_WALK = 3
_YEAR = re.compile(r"(?:19|20)\d\d")
_LEET = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"})


def refuse_weak_password(password: str, username: str) -> None:
    """Raise `WeakSecretError` for a password that is short, common or about its owner. It names the rule."""
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise WeakSecretError(f"the password must have {_SHORTEST} to {_LONGEST} characters")
    plain, name = _plain(password), _plain(username)
    if len(name) >= _SHORTEST_NAME and (name in plain or name[::-1] in plain):
        raise WeakSecretError("the password must not have the user's name in it")
    words = _common_passwords() | _OWN_WORDS | {part for part in re.split(r"\W+", name) if len(part) >= _SHORTEST_NAME}
    readings = {plain, plain.translate(_LEET)}
    if len(set(plain)) < _DIFFERENT or min(sum(_parts(reading, words)) for reading in readings) < _PARTS:
        raise WeakSecretError(
            "the password is easily guessed: it must be made of more than common words, neighbouring keys, sequences, "
            "a year and repetitions; four words that have nothing to do with each other are good"
        )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def _common_passwords() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _parts(text: str, words: frozenset[str]) -> Iterator[int]:
    """Yield how many parts each piece of a text counts for, from left to right, the longest piece first."""
    longest = max(map(len, words))
    start = 0
    while start < len(text):
        pieces = {1: 1, _length_of_run(text, start): _OF_WALK}
        for length in range(min(longest, len(text) - start), _SHORTEST_NAME - 1, -1):
            if text[start : start + length] in words:
                pieces[length] = _OF_WORD
                break
        pieces[_length_of_walk(text, start)] = _OF_WALK
        if year := _YEAR.match(text, start):
            pieces[len(year.group())] = _OF_WALK
        pieces[_length_of_repetition(text, start)] = _OF_REPETITION
        length = max(pieces)
        yield pieces[length]
        start += length


def _length_of_run(text: str, start: int) -> int:
    end = start + 1
    while end < len(text) and text[end] == text[start]:
        end += 1
    return end - start


def _length_of_walk(text: str, start: int) -> int:
    """Return for how many characters the text follows keys, the alphabet or the digits; 0 for fewer than 3."""
    length = 0
    while start + length < len(text) and any(text[start : start + length + 1] in walk for walk in _ON_KEYS):
        length += 1
    return length if length >= _SHORTEST_WALK else 0


def _length_of_repetition(text: str, start: int) -> int:
    """Return how many characters repeat what is further left; 0 for fewer than 3."""
    length = 0
    while start + length < len(text) and text[start : start + length + 1] in text[:start]:
        length += 1
    return length if length >= _SHORTEST_WALK else 0
