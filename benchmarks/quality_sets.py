"""The listings of the quality benchmarks: train, validation and test rows that never change."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd

from catalog.listings import read_listings
from catalog.splits import split_of, text_keys
from catalog.synthetic import FREQUENCIES, generate, generate_traffic
from catalog.synthetic_vocabulary import SYLLABLES
from catalog.text import is_blank

_TEXTS = ["designation", "description"]
_TESTS, _SEED_OF_TESTS = 5_000, 11
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class ListingSet:
    """Listings with a column `split`, and what they are."""

    name: str
    listings: pd.DataFrame

    def of(self, split: str) -> pd.DataFrame:
        """Return the rows of a split."""
        return self.listings[self.listings["split"] == split]


def embedded(sizes: Sequence[int]) -> Iterator[ListingSet]:
    """Yield so many embedded listings, less those that repeat others.

    The test rows are 5,000 new ones of their kind, with their true types: few would not show small differences.
    """
    for size in sizes:
        listings = _split_by_text(generate(size))
        learned = listings.loc[listings["split"] != "test", [*_TEXTS, "prdtypecode", "split"]]
        drawn = islice(generate_traffic("normal", seed=_SEED_OF_TESTS), _TESTS)
        new = pd.DataFrame(
            [(listing.title, listing.description, listing.code) for listing in drawn], columns=[*_TEXTS, "prdtypecode"]
        ).assign(split="test")
        new = new[~pd.Series(text_keys(new)).isin(set(listings["key"]))]
        whole = pd.concat([learned, new])
        yield ListingSet(f"{size:,} embedded listings", whole.assign(description=_or_none(whole["description"])))


def of_files(folder: Path, sizes: Sequence[int]) -> Iterator[ListingSet]:
    """Yield the listings of a folder with so many train rows (0: all), split by text and, if it has them, by clusters.

    There are an eighth as many validation rows, and always all test rows.
    """
    raw = read_listings(folder)
    read = raw.assign(prdtypecode=raw["prdtypecode"].astype("int64"), description=_or_none(raw["description"]))
    whole = {"by text": _split_by_text(read)}
    if (folder / "clusters.csv").is_file():
        clusters = pd.read_csv(folder / "clusters.csv")["cluster"].astype(str)
        digests = [hashlib.sha256(cluster.encode()).hexdigest() for cluster in clusters]
        apart = read.assign(split=[split_of(digest) for digest in digests])
        whole["by cluster"] = apart.loc[whole["by text"].index]
    for size in sizes:
        for name, listings in whole.items():
            rows = [size, size // 8, 0] if size else [0, 0, 0]
            parts = [listings[listings["split"] == split] for split in _SPLITS]
            chosen = [
                part.sample(count, random_state=0) if count else part for part, count in zip(parts, rows, strict=True)
            ]
            yield ListingSet(f"{folder.name} {name}, {len(chosen[0]):,} to train on", pd.concat(chosen))


def with_many_types(types: int, size: int) -> ListingSet:
    """Return embedded listings that have about so many types: each type of theirs, of each of some makers.

    The name of the maker is put into the title, so that a type is told by two words that other types have too.
    """
    listings = _split_by_text(generate(size))
    makers = max(types // len(FREQUENCIES), 1)
    syllables = [SYLLABLES[number % len(SYLLABLES)] for number in range(makers)]
    maker = listings["index"].to_numpy() * 7_919 % makers
    names = [
        f"{syllables[number]}{SYLLABLES[number // len(SYLLABLES) % len(SYLLABLES)]}x{number}"
        for number in range(makers)
    ]
    titles = [f"{title} {names[number]}" for title, number in zip(listings["designation"], maker, strict=True)]
    codes = listings["prdtypecode"].to_numpy() * makers + maker
    return ListingSet(f"{types:,} types", listings.assign(designation=titles, prdtypecode=codes))


def _or_none(texts: "pd.Series[str]") -> "pd.Series[str]":
    return pd.Series([None if is_blank(text) else text for text in texts], index=texts.index, dtype=object)


def _split_by_text(listings: pd.DataFrame) -> pd.DataFrame:
    keyed = listings.assign(key=text_keys(listings)).drop_duplicates("key")
    return keyed.assign(split=[split_of(key) for key in keyed["key"]])
