"""Near duplicates of train rows are never scored, and no row is trained on at one time and scored at another."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from catalog.consolidation import Consolidation, ConsolidationRules, consolidate
from catalog.evaluation import evaluate_window
from catalog.separation import SeparationError
from catalog.split_key import text_key
from catalog.splits import split_of
from catalog.taxonomy import Taxonomy
from ledger.feedback import COLUMNS

SHOP = Taxonomy(name="shop", labels={10: "Pools", 40: "Sofas"})
NO_FEEDBACK = pd.DataFrame(columns=COLUMNS)


def product(number: int, offer: int = 0) -> str:
    """A title of ten words. Two offers of one product have a similarity of 9 / 11, two products one of 0."""
    return " ".join(f"mot{number}{letter}" for letter in "abcdefghi") + f" offre{offer}"


OFFERS = [product(number, offer) for number in range(120) for offer in range(1 + number % 3)]


def offer_in(split: str, number: int) -> str:
    """An offer of a product that falls into a split."""
    offers = (product(number, offer) for offer in range(1_000))
    return next(title for title in offers if split_of(text_key(title, None)) == split)


def run(*titles: str, feedback: pd.DataFrame = NO_FEEDBACK, near_duplicates: float | None = 0.6) -> Consolidation:
    raw = pd.DataFrame({"index": range(len(titles)), "designation": titles, "prdtypecode": 10})
    raw["description"] = pd.Series([None] * len(titles), dtype=object)
    rules = ConsolidationRules(near_duplicates=near_duplicates, max_user_share=1)
    return consolidate(raw, feedback, SHOP.labels, rules)


def splits_of(outcome: Consolidation) -> dict[str, str]:
    return dict(zip(outcome.listings["designation"], outcome.listings["split"], strict=True))


def labelled(title: str, role: str) -> pd.DataFrame:
    row = ("p0", title, None, 10, "u", role, datetime(2026, 1, 1, tzinfo=UTC), False, role != "user", False)
    return pd.DataFrame([row], columns=COLUMNS)


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_a_held_out_row_that_is_near_to_a_train_row_is_left_out_and_counted(held_out: str) -> None:
    train, near, others = offer_in("train", 0), offer_in(held_out, 0), [offer_in(held_out, n) for n in range(1, 4)]
    outcome = run(train, near, *others)
    assert splits_of(outcome) == {train: "train", near: "near_duplicate", **dict.fromkeys(others, held_out)}
    found = outcome.profile.near_duplicates
    assert (found.groups, found.rows, found.left_out[held_out]) == (1, 2, 1)
    assert outcome.profile.splits[held_out] == 3


def test_near_duplicates_within_the_test_rows_stay() -> None:
    same = [title for offer in range(60) if split_of(text_key(title := product(0, offer), None)) == "test"]
    assert len(same) > 1
    assert set(splits_of(run(*same)).values()) == {"test"}


def test_as_data_grows_a_row_is_at_most_left_out() -> None:
    before: dict[str, str] = {}
    for size in (100, 150, 200, 240):
        after = splits_of(run(*np.random.default_rng(0).permutation(OFFERS[:size])))
        for title, split in before.items():
            assert after[title] == split or (split in ("validation", "test") and after[title] == "near_duplicate")
        assert {split for title, split in after.items() if split_of(text_key(title, None)) == "train"} == {"train"}
        before = after
    assert list(before.values()).count("near_duplicate") > 10


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert splits_of(run(*OFFERS)) == splits_of(run(*reversed(OFFERS)))


def test_a_plain_user_cannot_take_a_row_out_of_the_test() -> None:
    scored, near, other = offer_in("test", 0), offer_in("train", 0), offer_in("train", 1)
    by_user = run(scored, other, feedback=labelled(near, "user"))
    assert splits_of(by_user) == {scored: "test", other: "train"}
    assert by_user.profile.feedback.user_held_out == 1
    by_reviewer = run(scored, offer_in("test", 2), other, feedback=labelled(near, "reviewer"))
    assert splits_of(by_reviewer)[scored] == "near_duplicate"


def test_without_any_row_to_score_the_error_names_the_setting() -> None:
    titles = [offer_in("train", 0), offer_in("test", 0)]
    with pytest.raises(SeparationError, match=r"all 1 test rows are near .* set consolidation.near_duplicates"):
        run(*titles)
    assert set(splits_of(run(*titles, near_duplicates=None)).values()) == {"train", "test"}


def test_the_score_is_that_of_the_rows_that_are_not_near_and_the_other_one_is_beside_it() -> None:
    titles = [offer_in("train", 0), offer_in("test", 0), offer_in("test", 1), offer_in("validation", 2)]
    listings = run(*titles).listings
    window = listings[listings["split"] != "train"].assign(confidence=0.9, top_score=1.0)
    window["predicted_code"] = np.where(window["split"] == "near_duplicate", 10, 40)  # right on what it knows
    evaluation = evaluate_window(window, SHOP, 0.95, seed=0, trial=None)
    assert (evaluation.rows, evaluation.weighted_f1) == (1, 0)
    assert evaluation.near_duplicates == 1
    assert evaluation.weighted_f1_with_near_duplicates == pytest.approx(2 / 3)
