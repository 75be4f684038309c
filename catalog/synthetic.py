"""The embedded data set: synthetic listings to try the system on, on a machine without the challenge's files.

They have the published class frequencies, three languages, missing descriptions, mark-up, typos, repetitions,
confusable types and wrong labels, so that every part of the pipeline has something to do. What a model scores on them
says nothing about real listings.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from catalog.vocabulary import GROUPS, OF_ALL, OF_GROUP, OF_TYPE, SENTENCES, SYLLABLES

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

_LANGUAGES = (("fr", 0.80), ("en", 0.92), ("de", 1.0))  # and their cumulative shares
_AMBIGUOUS = {True: 0.29, False: 0.05}  # share of listings that carry no word of their type, in a group or not
_UNTOLD = 0.30  # of the ambiguous ones, those whose brand does not tell either
_UPPER_CASE = 0.06
_TYPO = 0.10
_BRANDS = 220
_GROUP_OF = {code: group for group, codes in GROUPS.items() for code in codes}
_ENTITIES = {"é": "&eacute;", "è": "&egrave;", "à": "&agrave;", "'": "&#39;", "ü": "&uuml;", "&": "&amp;"}


def generate(size: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Return `size` listings (200 to 200,000) with the challenge's columns; the same ones for the same size and seed.

    Columns: index, productid, imageid, prdtypecode (integers), designation (str), description (str or None).
    Raises `ValueError` for another size.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size must be between {SIZES[0]:,} and {SIZES[1]:,}, not {size:,}")
    # The generators of numpy and of the standard library give the same numbers on every machine and Python version; of
    # the latter only random() is used, which is the part that promises so.
    codes = _draw_codes(size, np.random.Generator(np.random.PCG64(seed)))
    writer = _Writer(random.Random(seed).random)
    rows = [writer.listing(code) for code in codes]
    writer.repeat_some(rows)
    shown = [writer.mistaken(code) if writer.chance(WRONG_LABELS) else code for code, _, _, _ in rows]
    return pd.DataFrame(
        {
            "index": np.arange(size),
            "designation": [title for _, _, title, _ in rows],
            "description": pd.Series([description for _, _, _, description in rows], dtype=object),
            "productid": [3_000_000 + 7 * row for row in range(size)],
            "imageid": [900_000_000 + 13 * row for row in range(size)],
            "prdtypecode": shown,
        }
    )


def write_rakuten_files(directory: Path, size: int = 20_000, seed: int = 0) -> tuple[Path, Path]:
    """Write the listings as the challenge's two files, each atomically; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    frame = generate(size, seed).set_index("index").rename_axis(None)
    paths = directory / "X_train_update.csv", directory / "Y_train_CVw08PX.csv"
    for path, columns in zip(
        paths, (["designation", "description", "productid", "imageid"], ["prdtypecode"]), strict=True
    ):
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        frame[columns].to_csv(temporary, encoding="utf-8")
        temporary.replace(path)
    return paths


def _draw_codes(size: int, generator: np.random.Generator) -> list[int]:
    """Give each type its share of the rows, rounded so that the sum is right, in random order."""
    codes = np.array(list(FREQUENCIES))
    exact = np.array(list(FREQUENCIES.values())) / sum(FREQUENCIES.values()) * size
    counts = np.floor(exact).astype(int)
    short = size - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    rows: list[int] = generator.permutation(np.repeat(codes, counts)).tolist()
    return rows


Row = tuple[int, str, str, str | None]  # code, language, title, description


class _Writer:
    """Writes listings from a source of random numbers in [0, 1)."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._of_type = {
            code: {language: text.split("|") for language, text in words.items()} for code, words in OF_TYPE.items()
        }
        self._of_group = {
            group: {language: text.split("|") for language, text in words.items()} for group, words in OF_GROUP.items()
        }
        self._of_all = {language: text.split("|") for language, text in OF_ALL.items()}
        self._brands_of = {code: [self._name() for _ in range(_BRANDS)] for code in FREQUENCIES}
        self._brands_of_group = {group: [self._name() for _ in range(_BRANDS)] for group in GROUPS}
        self._brands = [self._name() for _ in range(_BRANDS)]

    def chance(self, share: float) -> bool:
        return self._draw() < share

    def listing(self, code: int) -> Row:
        language = self._language()
        words = self._words(code, language)
        title = self._title(code, language, words)
        description = None if self.chance(MISSING_DESCRIPTIONS) else self._description(code, language, words)
        return code, language, title, description

    def repeat_some(self, rows: list[Row]) -> None:
        """Overwrite some rows with an earlier one, at times in other capitals or spaces."""
        for row in range(1, len(rows)):
            if self.chance(DUPLICATES):
                code, language, title, description = rows[self._below(row)]
                rows[row] = code, language, f" {title.upper()} " if self.chance(0.3) else title, description

    def mistaken(self, code: int) -> int:
        """Return a wrong code: mostly of a type that is easily confused with this one."""
        codes = GROUPS[_GROUP_OF[code]] if code in _GROUP_OF and self.chance(0.8) else tuple(FREQUENCIES)
        others = [other for other in codes if other != code]
        return others[self._below(len(others))]

    def _below(self, limit: int) -> int:
        return int(self._draw() * limit)

    def _pick(self, items: list[str]) -> str:
        """Return an item, the first ones more often than the last, as words are in any language."""
        return items[int(len(items) * self._draw() ** 1.6)]

    def _name(self) -> str:
        return "".join(SYLLABLES[self._below(len(SYLLABLES))] for _ in range(2 + self._below(3))).capitalize()

    def _language(self) -> str:
        drawn = self._draw()
        return next(language for language, share in _LANGUAGES if drawn < share)

    def _words(self, code: int, language: str) -> list[str]:
        """Return what the listing is about, most telling first; ambiguous listings lack the words of their type."""
        group = _GROUP_OF.get(code)
        shared = self._of_group[group][language] if group else self._of_all[language]
        common = [self._pick(shared), self._pick(shared), self._pick(self._of_all[language])]
        if not self.chance(_AMBIGUOUS[group is not None]):
            return [self._pick(self._of_type[code][language]), *common, self._brand(code, telling=self.chance(0.5))]
        return [*common, self._brand(code, telling=not self.chance(_UNTOLD))]

    def _brand(self, code: int, *, telling: bool) -> str:
        if telling:
            return self._pick(self._brands_of[code])
        group = _GROUP_OF.get(code)
        return self._pick(self._brands_of_group[group] if group and self.chance(0.7) else self._brands)

    def _title(self, code: int, language: str, words: list[str]) -> str:
        parts = [words[0]]
        if self.chance(0.75):
            parts.insert(self._below(2), words[-1])
        if self.chance(0.6):
            parts.append(words[1])
        if self.chance(0.35):
            parts.append(words[2])
        if self.chance(0.45):
            parts.append(self._measure(language))
        if code in (10, 2705, 2403, 2280, 40, 2905) and self.chance(0.7):
            parts.insert(0, f"{self._name()} {self._name()}")
        if self.chance(0.25):
            parts.append(f"- {self._pick(self._of_all[language])}")
        title = " ".join(parts)
        title = self._misspelt(title) if self.chance(_TYPO) else title
        if self.chance(0.03):
            title = self._escaped(title)
        return title.upper() if self.chance(_UPPER_CASE) else title[0].upper() + title[1:]

    def _measure(self, language: str) -> str:
        kind = self._below(4)
        if kind == 0:
            return f"{20 + 5 * self._below(60)}x{20 + 5 * self._below(40)} cm"
        if kind == 1:
            return f"{'ABCDEFGHKLMNPRSTVX'[self._below(18)]}{'JKLMRSTX'[self._below(8)]}-{100 + self._below(9_900)}"
        if kind == 2:
            return {"fr": "lot de {}", "en": "pack of {}", "de": "{}er Set"}[language].format(2 + self._below(11))
        return {"fr": "n° {}", "en": "no. {}", "de": "Nr. {}"}[language].format(1 + self._below(900))

    def _description(self, code: int, language: str, words: list[str]) -> str:
        count = 1 + int(3 * self._draw() + 22 * self._draw() ** 7)  # mostly a few sentences, now and then a great many
        sentences = []
        for _ in range(count):
            pattern = SENTENCES[language][self._below(len(SENTENCES[language]))]
            fillings = [self._filling(code, language, words) for _ in range(3)]
            sentences.append(pattern.format(*fillings))
        sentences = [self._misspelt(sentence) if self.chance(_TYPO / 2) else sentence for sentence in sentences]
        return self._marked_up(sentences) if self.chance(0.4) else " ".join(sentences)

    def _filling(self, code: int, language: str, words: list[str]) -> str:
        """Return a word for a sentence: one of the listing's, or one of its group, or one that says nothing."""
        kind = self._draw()
        if kind < 0.5:
            return words[self._below(len(words))]
        if kind < 0.75 and (group := _GROUP_OF.get(code)):
            return self._pick(self._of_group[group][language])
        return self._pick(self._of_all[language])

    def _marked_up(self, sentences: list[str]) -> str:
        kind = self._below(4)
        if kind == 0:
            return "<br />".join(sentences)
        if kind == 1:
            return "".join(f"<p>{self._escaped(sentence)}</p>" for sentence in sentences)
        if kind == 2:
            return f"<b>{sentences[0]}</b><ul>{''.join(f'<li>{sentence}</li>' for sentence in sentences[1:])}</ul>"
        return self._escaped("&nbsp;".join(sentences).replace("&nbsp;", " ")).replace(". ", ".&nbsp;")

    def _escaped(self, text: str) -> str:
        return "".join(_ENTITIES.get(character, character) for character in text)

    def _misspelt(self, text: str) -> str:
        """Swap, drop or double one character."""
        at = 1 + self._below(max(len(text) - 2, 1))
        kind = self._below(3)
        if kind == 0:
            return text[: at - 1] + text[at : at + 1] + text[at - 1 : at] + text[at + 1 :]
        return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at - 1] + text[at:]
