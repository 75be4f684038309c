"""The trial of novelty: a model that lacks some types, and whether abstention on what is novel to it pays."""

import pandas as pd
import pytest

from catalog.candidates import Candidate
from catalog.classifier import DEFAULT_BLOCKS
from catalog.novelty import AnsweredShare, NoveltyTrial, try_novelty

CANDIDATE = Candidate(blocks=list(DEFAULT_BLOCKS))
WORDS = {1: "piscine gonflable eau", 2: "canape cuir salon", 3: "puzzle pieces jeu", 4: "lampe bureau lumiere"}


def listings(types: int, *, rows: int = 90) -> pd.DataFrame:
    """Listings of types that share no word."""
    return pd.DataFrame(
        [
            {
                "designation": f"{WORDS[code]} {number % 7}",
                "description": None,
                "prdtypecode": code,
                "split": ("train", "train", "validation")[number % 3],
            }
            for code in range(1, types + 1)
            for number in range(rows)
        ]
    )


def a_trial(without: AnsweredShare, with_novelty: AnsweredShare) -> NoveltyTrial:
    return NoveltyTrial(
        types=1, known_rows=98, unknown_rows=20, auc=0.9, known_flagged=0.02, unknown_flagged=0.5, without=without,
        with_novelty=with_novelty,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("coverage", "precision", "pays"),
    [(0.78, 0.95, True), (0.75, 0.94, False), (0.80, 0.90, False), (0.80, 0.91, True), (0.0, None, False)],
    ids=["more precision than lost coverage", "less", "no effect", "precision for nothing", "no answer at all"],
)
def test_it_pays_if_precision_rises_by_more_than_the_coverage_that_is_lost(
    coverage: float, precision: float | None, pays: bool
) -> None:
    trial = a_trial(AnsweredShare(coverage=0.8, precision=0.9), AnsweredShare(coverage=coverage, precision=precision))
    assert trial.pays is pays


def test_a_listing_without_a_known_word_is_told_apart() -> None:
    trial = try_novelty(listings(4), CANDIDATE, 0.8, seed=0)
    assert trial is not None
    assert (trial.types, trial.known_rows, trial.unknown_rows) == (1, 90, 30)
    assert trial.auc > 0.99
    assert trial.known_flagged <= 0.1
    assert trial.unknown_flagged > 0.9
    assert trial.with_novelty.coverage <= trial.without.coverage


def test_the_same_rows_and_seed_give_the_same_trial() -> None:
    assert try_novelty(listings(4), CANDIDATE, 0.8, seed=3) == try_novelty(listings(4), CANDIDATE, 0.8, seed=3)


def test_with_two_types_it_is_not_tried() -> None:
    assert try_novelty(listings(2), CANDIDATE, 0.8, seed=0) is None
    assert try_novelty(listings(3), CANDIDATE, 0.8, seed=0) is not None


def test_without_validation_listings_of_both_kinds_it_is_not_tried() -> None:
    table = listings(4)
    assert try_novelty(table[table["split"] == "train"], CANDIDATE, 0.8, seed=0) is None
