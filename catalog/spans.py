"""Where the terms of an explanation stand in a listing as it was sent.

Terms are made from normalised text: without mark-up, case and accents. So the text is normalised letter by letter, and
each letter remembers which characters of the original it came from.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from catalog.blocks import Field
from catalog.predictor import Reason
from catalog.text import blanked_markup, clusters, normalise, unescaped, word_pattern, words

# What `html.unescape` takes for a character reference.
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")
ListingField = Literal["designation", "description"]
_FIELDS: dict[Field, tuple[ListingField, ...]] = {
    "title": ("designation",), "description": ("description",), "both": ("designation", "description"),
}  # fmt: skip
_Range = tuple[int, int]  # start and end in the original text, in code points


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a listing: the field, and start and end in its text, in code points."""

    field: ListingField
    start: int
    end: int


class _Words:
    """The words of one text, normalised, and where their letters came from."""

    def __init__(self, text: str) -> None:
        folded, self._places = _folded(text)
        found = [*word_pattern(folded).finditer(folded)]
        self._tokens = [match[0] for match in found]
        self._spans = [match.span() for match in found]  # in the normalised text
        self._numbers: dict[str, list[int]] = defaultdict(list)  # word -> which of the words it is
        for number, token in enumerate(self._tokens):
            self._numbers[token].append(number)

    def find_words(self, term: str) -> Iterator[_Range]:
        """Yield the places of a word or of a pair of neighbouring words."""
        first, *second = term.split(" ")
        for number in self._numbers.get(first, ()):
            last = number + len(second)
            if self._tokens[number + 1 : last + 1] == second:
                yield self._place(self._spans[number][0], self._spans[last][1])

    def find_letters(self, term: str) -> Iterator[_Range]:
        """Yield the places of an n-gram of letters, in which a space marks the beginning or the end of a word."""
        for word, numbers in self._numbers.items():
            padded = f" {word} "
            at = padded.find(term)
            while at >= 0:
                first, last = max(at - 1, 0), min(at - 1 + len(term), len(word))
                for start, _ in map(self._spans.__getitem__, numbers):
                    yield self._place(start + first, start + last)
                at = padded.find(term, at + 1)

    def _place(self, start: int, end: int) -> _Range:
        return self._places[start][0], self._places[end - 1][1]


class TermLocator:
    """Finds the terms of one listing in its text."""

    def __init__(self, title: str, description: str | None) -> None:
        self._texts: dict[ListingField, str] = {"designation": title, "description": description or ""}
        self._words: dict[ListingField, _Words] = {}

    def spans(self, reason: Reason, limit: int = 100) -> list[Span]:
        """Return where a term stands, at most `limit` places.

        The text at each place gives the term again when it is normalised. A term that has no such place is not
        located: a pair whose words are in two fields, a part of a ligature, letters that only compose with others. Nor
        is the sentence vector.
        """
        return list(islice(self._located(reason), limit))

    def _located(self, reason: Reason) -> Iterator[Span]:
        if reason.kind == "vector":
            return
        of_letters = reason.kind == "characters"
        term = reason.term.replace("·", " ") if of_letters else reason.term
        for field in _FIELDS[reason.field]:
            text = self._texts[field]
            if field not in self._words:
                self._words[field] = _Words(text)
            found = self._words[field]
            for start, end in found.find_letters(term) if of_letters else found.find_words(term):
                if words(normalise(text[start:end]), intern=False) == term.split():
                    yield Span(field, start, end)


def _folded(text: str) -> tuple[str, list[_Range]]:
    """Return the normalised text, and the place in the original of each of its characters. It has all its spaces."""
    decoded, places = _decoded(*_decoded(text, [(start, start + 1) for start in range(len(text))]))
    parts: list[str] = []
    of_parts: list[_Range] = []
    known: dict[str, str] = {}
    start = 0
    for cluster in clusters(blanked_markup(decoded)):
        end = start + len(cluster)
        if cluster.isascii():
            parts.append(cluster.lower())
            of_parts += places[start:end]
        else:
            if (folded := known.get(cluster)) is None:
                folded = known[cluster] = normalise(cluster) or " "
            parts.append(folded)
            of_parts += [(places[start][0], places[end - 1][1])] * len(folded)
        start = end
    return "".join(parts), of_parts


def _decoded(text: str, places: list[_Range]) -> tuple[str, list[_Range]]:
    """Return a text with its HTML entities decoded, and the place in the original of each of its characters."""
    if "&" not in text:
        return text, places
    parts: list[str] = []
    of_parts: list[_Range] = []
    done = 0
    for match in _REFERENCE.finditer(text):
        start, end = match.span()
        decoded = unescaped(match[0])
        parts += text[done:start], decoded
        of_parts += places[done:start]
        whole = [(places[start][0], places[end - 1][1])] * len(decoded)
        of_parts += places[start:end] if decoded == match[0] else whole
        done = end
    return "".join([*parts, text[done:]]), of_parts + places[done:]
