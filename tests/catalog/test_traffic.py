"""Simulated traffic is the same for the same seeds; drifted traffic differs from what the model learned."""

from collections import Counter
from itertools import islice

import pandas as pd
import pytest

from catalog.synthetic import FREQUENCIES, MIXES, Listing, generate, generate_traffic
from catalog.text import normalise, words


def traffic(kind: str, size: int, seed: int = 1, world: int = 0) -> list[Listing]:
    return list(islice(generate_traffic(kind, seed, world), size))


def vocabulary(titles: list[str]) -> set[str]:
    return {word for title in titles for word in words(normalise(title)) if word.isalpha()}


def known_share(titles: list[str]) -> float:
    """The share of the words in these titles that occur in titles of the embedded listings of seed 0."""
    known = vocabulary(generate(20_000, 0)["designation"].tolist())
    used = [word for title in titles for word in words(normalise(title)) if word.isalpha()]
    return sum(word in known for word in used) / len(used)


@pytest.mark.parametrize("kind", MIXES)
def test_only_the_same_seed_gives_the_same_traffic(kind: str) -> None:
    assert traffic(kind, 50) == traffic(kind, 50)
    assert traffic(kind, 50) != traffic(kind, 50, seed=2)


def test_normal_traffic_has_the_words_of_the_training_data() -> None:
    assert known_share([listing.title for listing in traffic("normal", 1_000)]) > 0.93


def test_drifted_traffic_has_new_words() -> None:
    assert known_share([listing.title for listing in traffic("drifted", 1_000)]) < 0.85


def test_drifted_traffic_has_other_types_languages_and_lengths() -> None:
    normal, drifted = traffic("normal", 3_000), traffic("drifted", 3_000)
    most_frequent = max(FREQUENCIES, key=FREQUENCIES.__getitem__)
    for value, of in ((most_frequent, "code"), ("fr", "language")):
        shares = [Counter(getattr(listing, of) for listing in part)[value] / 3_000 for part in (normal, drifted)]
        assert shares[0] > shares[1] + 0.08, of
    lengths = [pd.Series([len(one.description or "") for one in part]).mean() for part in (normal, drifted)]
    assert lengths[1] > 1.5 * lengths[0]
