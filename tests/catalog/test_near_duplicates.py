"""Near duplicates: found wherever they are, compared exactly, in linear time."""

from pathlib import Path

import numpy as np
import pytest

from catalog.listings import read_listings
from catalog.near_duplicates import Shingles
from catalog.split_key import text_form
from catalog.splits import text_forms, texts_of
from catalog.synthetic import generate

LONG = "coque de protection noire pour telephone portable"  # seven words, seven pairs


@pytest.mark.parametrize(
    ("other", "similarity"),
    [
        (LONG, 1.0),
        (f"{LONG} neuf", 7 / 8),
        ("coque de protection bleue pour telephone portable", 5 / 9),
        ("portable telephone pour noire protection de coque", 0.0),
        ("piscine gonflable ronde", 0.0),
    ],
)
def test_texts_are_near_from_their_similarity_on(other: str, similarity: float) -> None:
    shingles = Shingles.of([LONG, other])
    for threshold in (0.5, 0.6, 0.8, 0.9, 1.0):
        near = shingles.near(np.array([0]), np.array([1]), threshold)
        assert near.tolist() == [similarity >= threshold], threshold


def test_texts_of_one_word_or_none_are_compared_too() -> None:
    shingles = Shingles.of(["piscine", "piscine", "canape", "!!!", "!!!", "???"])
    assert shingles.near(np.array([0, 2, 3]), np.array([1, 4, 5]), 1).tolist() == [True, False, True]


def test_nearly_all_are_found_and_nothing_else() -> None:
    forms = [text_form(*texts) for texts in texts_of(generate(3_000, seed=2))]
    shingles, half = Shingles.of(forms), np.arange(1_500)
    common = (shingles.pairs[:1_500] @ shingles.pairs[1_500:].T).toarray()
    sizes = np.diff(shingles.pairs.indptr)
    similarity = common / (sizes[:1_500, None] + sizes[None, 1_500:] - common)
    near = similarity.max(axis=1) >= 0.6
    found = shingles.near(half, half + 1_500, 0.6)
    assert near.sum() > 20
    assert not (found & ~near).any()
    assert found[near].mean() > 0.9


def test_of_real_offers_nearly_all_are_found_and_they_have_the_same_type(real_listings: Path) -> None:
    offers = read_listings(real_listings).drop_duplicates("designation").reset_index(drop=True)
    shingles, rows = Shingles.of(text_forms(offers)), np.arange(len(offers))
    some, others = rows[rows % 10 == 0], rows[rows % 10 != 0]
    common = (shingles.pairs[some] @ shingles.pairs[others].T).tocoo()
    sizes = np.diff(shingles.pairs.indptr)
    similarity = common.data / (sizes[some][common.row] + sizes[others][common.col] - common.data)
    nearest = np.zeros(len(some))
    np.maximum.at(nearest, common.row, similarity)
    near = nearest >= 0.6
    found = shingles.near(some, others, 0.6)
    assert found[near].mean() > 0.97
    assert not (found & ~near).any()
    codes = offers["prdtypecode"].to_numpy()
    closest = np.flatnonzero((similarity >= 0.6) & (similarity == nearest[common.row]))
    one, first = np.unique(common.row[closest], return_index=True)  # a neighbour of each, of several equally near ones
    assert (codes[some][one] == codes[others][common.col[closest][first]]).mean() > 0.95


def test_a_group_holds_near_duplicates_of_near_duplicates() -> None:
    chain = [" ".join(map(str, range(start, start + 20))) for start in (0, 3, 6)]
    shingles = Shingles.of([*chain, "piscine gonflable"])
    assert not shingles.near(np.array([0]), np.array([2]), 0.6).any()
    first, second, third, alone = shingles.groups(0.6)
    assert first == second == third != alone


def test_what_is_found_for_a_text_depends_on_no_other_text() -> None:
    forms = [text_form(*texts) for texts in texts_of(generate(400, seed=2))]
    alone, among = Shingles.of(forms[:50]), Shingles.of(forms[::-1])
    np.testing.assert_array_equal(alone.bands, among.bands[:, ::-1][:, :50])


def test_thousands_of_texts_of_one_template_are_compared_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = [f"coque pour modele {3 * number} {3 * number + 1} {3 * number + 2}" for number in range(4_000)]
    shingles, compared = Shingles.of(forms), []
    alike = Shingles._alike
    monkeypatch.setattr(Shingles, "_alike", lambda self, *args: compared.append(len(args[0])) or alike(self, *args))
    assert not shingles.near(np.arange(2_000), np.arange(2_000, 4_000), 0.6).any()
    assert sum(compared) < 24 * 16 * 2_000
