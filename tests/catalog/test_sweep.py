"""Which values of the settings are taken: those that validation shows to be better, and else the defaults."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from catalog.blocks import Block
from catalog.candidates import Candidate, fit_candidates
from catalog.classifier import ProductTypeClassifier
from catalog.splits import split_of, text_keys
from catalog.sweep import best_beyond_chance
from catalog.synthetic import generate

WORDS = Block("both", "words", 1, 1)


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    frame = generate(1_500, seed=3)
    return frame.assign(split=[split_of(key) for key in text_keys(frame)])


@pytest.mark.parametrize(
    ("right", "best"),
    [
        ({"default": [1, 0, 0, 0, 0], "other": [1, 1, 1, 1, 1]}, "default"),  # four of four are chance
        ({"default": [0, 0, 0, 0, 0], "other": [1, 1, 1, 1, 1]}, "other"),
        ({"default": [1, 1] + [0] * 6, "other": [0, 0] + [1] * 6}, "default"),  # on two it is worse
        ({"default": [0] * 6, "one": [1, 1, 1, 1, 1, 0], "two": [1] * 6}, "two"),
        ({"default": [0] * 6, "one": [1, 1, 1, 1, 1, 0], "two": [0, 1, 1, 1, 1, 1]}, "one"),  # the first of equals
    ],
)
def test_another_value_must_be_better_than_the_default_by_more_than_chance(
    right: Mapping[str, list[int]], best: str
) -> None:
    assert best_beyond_chance({key: np.array(flags, dtype=bool) for key, flags in right.items()}) == best


def test_a_value_that_learns_nothing_is_left_for_a_better_one(
    listings: pd.DataFrame, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.sweep.MAXIMUM_LISTINGS", 0)  # few listings have no C to choose
    candidate = Candidate(
        blocks=[WORDS], C=[1e-6, 1e-5, 1.0], smoothing=[1e6, 0.1], bayes_share=[1.0, 0.0, 0.5],
    )  # fmt: skip
    with caplog.at_level(logging.INFO, logger="catalog"):
        chosen = fit_candidates(listings, {"blend": candidate}, seed=0)
    assert chosen.parameters.C == 1.0
    assert (chosen.parameters.smoothing, chosen.parameters.bayes_share) == (0.1, 0.5)
    assert "Trying C 1e-06, 1e-05, 1.0 on 500 listings" in caplog.text
    assert "C 1.0, smoothing 0.1, bayes_share 0.5" in caplog.text


def test_without_validation_listings_the_first_values_are_taken(listings: pd.DataFrame) -> None:
    columns = listings["designation"].tolist(), listings["description"].tolist(), listings["prdtypecode"]
    several = ProductTypeClassifier(blocks=[WORDS], C=[0.5, 2.0], smoothing=[0.1, 1.0], bayes_share=[0.2, 0.8])
    single = ProductTypeClassifier(blocks=[WORDS], C=0.5, smoothing=0.1, bayes_share=0.2)
    assert_array_equal(several.fit(*columns).coef_, single.fit(*columns).coef_)


def test_the_values_that_were_chosen_give_the_same_model_alone(listings: pd.DataFrame) -> None:
    candidate = Candidate(blocks=[WORDS], C=[0.1, 1.0], smoothing=[10.0, 0.01], bayes_share=[0.0, 0.5, 1.0])
    chosen = fit_candidates(listings, {"blend": candidate}, seed=0)
    again = fit_candidates(listings, {"blend": chosen.parameters}, seed=0)
    assert_array_equal(again.classifier.coef_, chosen.classifier.coef_)
    assert again.parameters == chosen.parameters


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_types_that_only_validation_has_do_no_harm(listings: pd.DataFrame, share: float) -> None:
    rare = listings["prdtypecode"].value_counts().index[-3:]
    known = listings[~((listings["split"] == "train") & listings["prdtypecode"].isin(rare))]
    chosen = fit_candidates(known, {"blend": Candidate(blocks=[WORDS], C=[0.5, 1.0], bayes_share=share)}, seed=0)
    assert not set(rare) & set(chosen.classifier.classes_)
