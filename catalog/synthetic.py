"""The embedded data set: synthetic listings for trying the system without the challenge's files.

They have the published class frequencies, three languages, missing descriptions, mark-up, typos, repetitions,
types that are easily confused, and wrong labels, so that every part of the pipeline has work to do. They are no
evidence: a model's scores on them say nothing about real listings.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.entities import codepoint2name
from typing import NamedTuple

import numpy as np
import pandas as pd

from catalog.synthetic_vocabulary import (
    BOILERPLATE,
    DETAILS,
    GROUPS,
    ITEMS,
    NOTES,
    QUALITIES,
    SENTENCES,
    SHARED,
    SYLLABLES,
    VAGUE,
    WORKS,
)

# Listings of each type among the 84,916 of the challenge's training set.
FREQUENCIES = {
    2583: 10209, 1560: 5073, 1300: 5045, 2060: 4993, 2522: 4989, 1280: 4870, 2403: 4774, 2280: 4760, 1920: 4303,
    1160: 3953, 1320: 3241, 10: 3116, 2705: 2761, 1140: 2671, 2582: 2589, 40: 2508, 2585: 2496, 1302: 2491, 1281: 2070,
    50: 1681, 2462: 1421, 2905: 872, 60: 832, 2220: 824, 1301: 807, 1940: 803, 1180: 764,
}  # fmt: skip
SIZES = (200, 200_000)
MISSING_DESCRIPTIONS = 0.35
DUPLICATES = 0.02
WRONG_LABELS = 0.03
TITLE_LENGTHS = (20, 120)  # characters, before mark-up
LONGEST_DESCRIPTION = 2_600  # characters, before mark-up; with mark-up the longest have more than 3,000

_LANGUAGES = (("fr", 0.80), ("en", 0.92), ("de", 1.0))  # with cumulative shares
_AMBIGUOUS = {True: 0.24, False: 0.05}  # share of listings without a word of their type; True: the type is in a group
_WITHOUT_A_HINT = 0.32  # share of the ambiguous listings whose brand is not typical of their type either
_CONFUSED = 0.8  # share of the wrong labels that are of a type in the same group
_TYPO = 0.10
_UPPER_CASE = 0.06
_MARKED_UP = 0.4
_ESCAPED_TITLES = 0.03
_BRANDS = 220
_TYPICAL_DESCRIPTION = 215  # characters; the median is higher, since descriptions end with a whole sentence
_LONGEST_SENTENCE = 150  # characters, approximately
_WORKS_OF = frozenset({10, 2705, 2403, 2280, 40, 2905})  # types whose titles often contain the name of a book or a game
_GROUP_OF = {code: group for group, codes in GROUPS.items() for code in codes}
_ENTITIES = {point: f"&{name};" for point, name in codepoint2name.items() if point > 127 or chr(point) == "&"} | {
    ord("'"): "&#39;"
}

_SEED_OF_NEW_BRANDS = 1_000_003  # is added to a seed; far from the seeds that people choose
_REPEATABLE = 1_000  # traffic may repeat one of so many latest listings
_NEW_NAMES = 24  # names of new products, for each type

Draw = Callable[[], float]  # the next random number in [0, 1)


@dataclass(frozen=True)
class Mix:
    """The distribution of a stream of listings: types, languages with cumulative shares, lengths, names.

    `new_names` is the share of listings that name their product by a word that is not in the embedded listings. With
    `new_brands`, no brand of the embedded listings occurs.
    """

    frequencies: Mapping[int, int] = field(default_factory=lambda: FREQUENCIES)
    languages: tuple[tuple[str, float], ...] = _LANGUAGES
    typical_description: int = _TYPICAL_DESCRIPTION
    missing_descriptions: float = MISSING_DESCRIPTIONS
    new_names: float = 0.0
    new_brands: bool = False


# The kinds of traffic. `normal` is distributed as the embedded listings are, and `multilingual` has other languages. In
# `drifted` the frequent types are rare and the rare types frequent, and descriptions, products and brands change too.
MIXES = {
    "normal": Mix(),
    "multilingual": Mix(languages=(("fr", 0.34), ("en", 0.67), ("de", 1.0))),
    "drifted": Mix(
        frequencies=dict(zip(FREQUENCIES, reversed(FREQUENCIES.values()), strict=True)),
        languages=(("fr", 0.45), ("en", 0.75), ("de", 1.0)),
        typical_description=2 * _TYPICAL_DESCRIPTION,
        missing_descriptions=0.15,
        new_names=0.5,
        new_brands=True,
    ),
}


class Listing(NamedTuple):
    """A listing with its true type and the language that it is written in."""

    code: int
    language: str
    title: str
    description: str | None


class _Subject(NamedTuple):
    """What one listing sells, and the words to describe it."""

    item: str
    brand: str
    details: Sequence[str]
    words: Sequence[str]


def generate(size: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Return `size` listings (200 to 200,000) with the challenge's columns; the same size and seed give the same ones.

    Columns: index, productid, imageid, prdtypecode (integers), designation (str), description (str or None). The
    listings are synthetic, for trying the system: they are no evidence about real ones. Raises `ValueError` for another
    size.
    """
    listings, codes = write_listings(size, seed)
    rows = np.arange(size, dtype=np.int64)
    return pd.DataFrame(
        {
            "index": rows,
            "designation": [listing.title for listing in listings],
            "description": pd.Series([listing.description for listing in listings], dtype=object),
            "productid": 3_000_000 + 7 * rows,
            "imageid": 900_000_000 + 13 * rows,
            "prdtypecode": np.array(codes, dtype=np.int64),
        }
    )


def write_listings(size: int, seed: int, wrong_labels: float = WRONG_LABELS) -> tuple[list[Listing], list[int]]:
    """Return the listings of `generate` with their languages and true types, and the code that each is labelled with.

    `wrong_labels` is the share of codes that are wrong. Each repetition of a listing gets a label of its own, so that
    some repetitions contradict each other, as in real catalogues. Raises `ValueError` for a size that `generate`
    refuses.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size must be between {SIZES[0]:,} and {SIZES[1]:,}, not {size:,}")
    draw = _numbers(seed).__next__
    writer = _Writer(draw)
    listings = [writer.listing(code) for code in _draw_codes(size, draw)]
    writer.repeat_some(listings)
    return listings, [writer.shown_code(listing.code, wrong_labels) for listing in listings]


def generate_traffic(kind: str, seed: int, world: int = 0) -> Iterator[Listing]:
    """Yield listings without end, as a service receives them, with one of the `MIXES`; the same for the same seeds.

    `world` is the seed of the `generate` call whose brands they share; two seeds have no brand in common. Some listings
    repeat earlier ones, as in `generate`.
    """
    mix = MIXES[kind]
    draw = _numbers(seed).__next__
    writer = _Writer(draw, mix, brands=_numbers(_SEED_OF_NEW_BRANDS + world if mix.new_brands else world).__next__)
    codes = list(mix.frequencies)
    shares = np.cumsum(list(mix.frequencies.values())) / sum(mix.frequencies.values())
    latest: deque[Listing] = deque(maxlen=_REPEATABLE)
    while True:
        code = codes[int(np.searchsorted(shares, draw(), side="right"))]
        listing = writer.repeated(latest) if latest and draw() < DUPLICATES else writer.listing(code)
        latest.append(listing)
        yield listing


def _numbers(seed: int) -> Iterator[float]:
    """Yield random numbers in [0, 1), the same on every machine and Python version (PCG64).

    Everything random is computed from them by additions, multiplications, divisions and square roots: IEEE 754 defines
    how these are rounded. The results of powers and logarithms depend on the machine's mathematical library.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:
        yield from generator.random(65_536).tolist()  # in blocks: one call for each number would take most of the time


def _draw_codes(size: int, draw: Draw) -> list[int]:
    """Return `size` codes in random order. The count of each is its share, rounded so that the sum is `size`."""
    total = sum(FREQUENCIES.values())
    counts = {code: size * count // total for code, count in FREQUENCIES.items()}
    most_rounded_down = sorted(FREQUENCIES, key=lambda code: -(size * FREQUENCIES[code] % total))
    for code in most_rounded_down[: size - sum(counts.values())]:
        counts[code] += 1
    codes = [code for code, count in counts.items() for _ in range(count)]
    for last in range(size - 1, 0, -1):  # Fisher and Yates
        other = int(draw() * (last + 1))
        codes[last], codes[other] = codes[other], codes[last]
    return codes


class _Writer:
    """Writes listings from a source of random numbers. `brands` is the source for the brands, if it is another one."""

    def __init__(self, draw: Draw, mix: Mix = MIXES["normal"], brands: Draw | None = None) -> None:
        self._draw = brands or draw
        self._mix = mix
        self._brands_of = {code: self._new_brands() for code in FREQUENCIES}
        self._brands_of_group = {group: self._new_brands() for group in GROUPS}
        self._brands_of_all = self._new_brands()
        self._new_names_of = {code: self._new_names() for code in FREQUENCIES} if mix.new_names else {}
        self._draw = draw

    def listing(self, code: int) -> Listing:
        """Return a new listing of a type."""
        drawn = self._draw()
        language = next(language for language, share in self._mix.languages if drawn < share)
        subject = self._subject(code, language)
        title = self._title(code, language, subject)
        described = not self._chance(self._mix.missing_descriptions)
        return Listing(code, language, title, self._description(language, subject) if described else None)

    def repeat_some(self, listings: list[Listing]) -> None:
        """Replace some listings by an earlier one, sometimes with other capitals or spaces."""
        for row in range(1, len(listings)):
            if self._chance(DUPLICATES):
                listings[row] = self.repeated(listings, row)

    def repeated(self, listings: Sequence[Listing], among: int | None = None) -> Listing:
        """Return one of the first `among` listings (None: of all) again, sometimes with other capitals or spaces."""
        earlier = listings[self._below(len(listings) if among is None else among)]
        return earlier._replace(title=self._varied(earlier.title))

    def shown_code(self, code: int, wrong_labels: float) -> int:
        """Return the code, or for a share of calls a wrong one: mostly of a type that is easily confused with it."""
        if not self._chance(wrong_labels):
            return code
        confused = code in _GROUP_OF and self._chance(_CONFUSED)
        codes = GROUPS[_GROUP_OF[code]] if confused else tuple(FREQUENCIES)
        return self._any([other for other in codes if other != code])

    def _chance(self, share: float) -> bool:
        return self._draw() < share

    def _below(self, limit: int) -> int:
        return int(self._draw() * limit)

    def _any(self, items: Sequence[int]) -> int:
        return items[self._below(len(items))]

    def _phrase(self, phrases: Sequence[str]) -> str:
        """Return a phrase; the first ones are more frequent than the last, as words are in a language."""
        drawn = self._draw()
        return phrases[int(len(phrases) * drawn * drawn)]

    def _pattern(self, patterns: Sequence[str]) -> str:
        return patterns[self._below(len(patterns))]

    def _name(self) -> str:
        return "".join(SYLLABLES[self._below(len(SYLLABLES))] for _ in range(2 + self._below(3))).capitalize()

    def _new_brands(self) -> tuple[str, ...]:
        return tuple(self._name() for _ in range(_BRANDS))

    def _new_names(self) -> tuple[str, ...]:
        return tuple(self._name().lower() for _ in range(_NEW_NAMES))

    def _subject(self, code: int, language: str) -> _Subject:
        """Draw what a listing sells; an ambiguous one has no word of its type."""
        group = _GROUP_OF.get(code)
        shared = SHARED[group][language] if group else VAGUE[language]
        words = [self._phrase(shared) for _ in range(4)]
        if self._chance(_AMBIGUOUS[group is not None]):
            brand = self._brand(code, typical=not self._chance(_WITHOUT_A_HINT))
            return _Subject(words[0], brand, words[1:3], words[1:])
        details = [self._phrase(DETAILS[code][language]) for _ in range(2)]
        brand = self._brand(code, typical=self._chance(0.5))
        if self._new_names_of and self._chance(self._mix.new_names):
            return _Subject(self._phrase(self._new_names_of[code]), brand, words[1:3], words)
        return _Subject(self._phrase(ITEMS[code][language]), brand, details, words)

    def _brand(self, code: int, *, typical: bool) -> str:
        if typical:
            return self._phrase(self._brands_of[code])
        if code in _GROUP_OF and self._chance(0.7):
            return self._phrase(self._brands_of_group[_GROUP_OF[code]])
        return self._phrase(self._brands_of_all)

    def _title(self, code: int, language: str, subject: _Subject) -> str:
        parts = [subject.item]
        if self._chance(0.75):
            parts.insert(self._below(2), subject.brand)
        if self._chance(0.6) and subject.words[0] != subject.item:
            parts.append(subject.words[0])
        if self._chance(0.3):
            parts.append(self._phrase(QUALITIES[language]))
        if self._chance(0.45):
            parts.append(self._figure(language))
        if code in _WORKS_OF and self._chance(0.7):
            parts.insert(0, self._pattern(WORKS[language]).format(name=self._name(), other=self._name()) + " -")
        if self._chance(0.25):
            parts.append(f"- {self._phrase(NOTES[language])}")
        return self._untidy(self._fitted(parts, language))

    def _fitted(self, parts: list[str], language: str) -> str:
        """Join the parts to a title within `TITLE_LENGTHS`, also when a typo adds or drops a character."""
        shortest, longest = TITLE_LENGTHS[0] + 1, TITLE_LENGTHS[1] - 1
        while len(title := " ".join(parts)) < shortest:
            parts.append(self._phrase(QUALITIES[language]))
        title = title if len(title) <= longest else title[:longest].rsplit(" ", 1)[0]
        return title[0].upper() + title[1:]

    def _untidy(self, title: str) -> str:
        if self._chance(_TYPO):
            title = self._misspelt(title)
        if self._chance(_UPPER_CASE):
            title = title.upper()
        return _escaped(title) if self._chance(_ESCAPED_TITLES) else title

    def _varied(self, title: str) -> str:
        """Return the title unchanged, or with other capitals or spaces."""
        return (title, title, title, title.upper(), title.lower(), f" {title.replace(' ', '  ')} ")[self._below(6)]

    def _figure(self, language: str) -> str:
        kind = self._below(4)
        if kind == 0:
            return self._size()
        if kind == 1:
            return self._reference()
        if kind == 2:
            return {"fr": "lot de {}", "en": "pack of {}", "de": "{}er Set"}[language].format(2 + self._below(11))
        return {"fr": "n° {}", "en": "no. {}", "de": "Nr. {}"}[language].format(1 + self._below(900))

    def _size(self) -> str:
        return f"{20 + 5 * self._below(60)}x{20 + 5 * self._below(40)} cm"

    def _reference(self) -> str:
        return f"{'ABCDEFGHKLMNPRSTVX'[self._below(18)]}{'JKLMRSTX'[self._below(8)]}-{100 + self._below(9_900)}"

    def _description(self, language: str, subject: _Subject) -> str:
        drawn = self._draw()
        # A log-logistic length: bell-shaped on a logarithmic scale, with a long tail. It needs no logarithm to compute.
        wanted = min(
            self._mix.typical_description * math.sqrt(drawn / (1 - drawn)), LONGEST_DESCRIPTION - _LONGEST_SENTENCE
        )
        sentences = [self._sentence(language, subject)]
        length = len(sentences[0])
        while length < wanted:
            sentence = self._sentence(language, subject)
            if sentence not in sentences:
                sentences.append(sentence)
                length += 1 + len(sentence)
        sentences = [self._misspelt(sentence) if self._chance(_TYPO / 2) else sentence for sentence in sentences]
        return self._marked_up(sentences) if self._chance(_MARKED_UP) else " ".join(sentences)

    def _sentence(self, language: str, subject: _Subject) -> str:
        if self._chance(0.35):
            return self._pattern(BOILERPLATE[language])
        return self._pattern(SENTENCES[language]).format(
            item=subject.item,
            brand=subject.brand,
            detail=self._pattern(subject.details),
            word=self._pattern(subject.words),
            quality=self._phrase(QUALITIES[language]),
            second=self._phrase(QUALITIES[language]),
            size=self._size(),
            reference=self._reference(),
        )

    def _marked_up(self, sentences: list[str]) -> str:
        kind = self._below(4)
        if kind == 0:
            return "<br />".join(sentences)
        if kind == 1:
            return "".join(f"<p>{_escaped(sentence)}</p>" for sentence in sentences)
        if kind == 2:
            return f"<b>{sentences[0]}</b><ul>{''.join(f'<li>{sentence}</li>' for sentence in sentences[1:])}</ul>"
        return "&nbsp;".join(_escaped(sentence) for sentence in sentences)

    def _misspelt(self, text: str) -> str:
        """Swap, drop or double one character."""
        at = 1 + self._below(len(text) - 2)
        kind = self._below(3)
        if kind == 0:
            return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
        return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at - 1] + text[at:]


def _escaped(text: str) -> str:
    """Return the text with HTML entities for apostrophes, ampersands and all named characters outside ASCII."""
    return text.translate(_ENTITIES)
