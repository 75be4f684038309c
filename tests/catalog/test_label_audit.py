"""The audit of labels, on listings whose wrong labels are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from catalog.audit_rules import AuditRules
from catalog.label_audit import COLUMNS, audit_labels, out_of_fold_confidence, without_errors
from catalog.split_key import text_key
from catalog.splits import split_of
from catalog.synthetic import write_listings

RULES = AuditRules(in_training="report", folds=3, sure=0.8)


@dataclass(frozen=True)
class Audited:
    """Listings, their true codes, and the suspects."""

    listings: pd.DataFrame
    true: np.ndarray
    suspects: pd.DataFrame

    @property
    def wrong(self) -> set[str]:
        return set(self.listings["text_key"][self.listings["prdtypecode"] != self.true])


def table(titles: list[str], codes: list[int], descriptions: list[str | None] | None = None) -> pd.DataFrame:
    texts = descriptions or [None] * len(titles)
    keys = [text_key(*pair) for pair in zip(titles, texts, strict=True)]
    return pd.DataFrame(
        {
            "text_key": keys, "designation": titles, "description": pd.Series(texts, dtype=object),
            "prdtypecode": codes, "origin": "listing", "split": [split_of(key) for key in keys],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def audited() -> Audited:
    written, codes = write_listings(3_000, seed=5, wrong_labels=0.1)
    listings = table([each.title for each in written], codes, [each.description for each in written])
    first = ~listings["text_key"].duplicated()
    true = np.array([each.code for each in written])[first]
    listings = listings[first].reset_index(drop=True)
    return Audited(listings, true, audit_labels(listings, RULES, seed=0))


def test_most_suspects_are_wrong_and_most_wrong_labels_are_found(audited: Audited) -> None:
    found = audited.suspects["text_key"].isin(audited.wrong)
    assert list(audited.suspects.columns) == COLUMNS
    assert found.mean() > 0.45  # of all labels 10 % are wrong
    assert found.sum() > 0.5 * len(audited.wrong)


def test_the_sure_ones_come_first_and_nearly_all_are_wrong(audited: Audited) -> None:
    sure = audited.suspects["sure"]
    assert sure.tolist() == sorted(sure, reverse=True)
    assert sure.sum() > 20
    assert audited.suspects["text_key"][sure].isin(audited.wrong).mean() > 0.9


def test_the_proposed_type_is_the_true_one(audited: Audited) -> None:
    true = pd.Series(audited.true, index=audited.listings["text_key"])
    wrong = audited.suspects[audited.suspects["text_key"].isin(audited.wrong)]
    assert (wrong["text_key"].map(true) == wrong["proposed_code"]).mean() > 0.9


def test_labels_of_reviewers_are_not_doubted(audited: Audited) -> None:
    reviewed = audited.listings.assign(origin="reviewed")
    assert audit_labels(reviewed, RULES, seed=0).empty


@pytest.mark.parametrize("in_training", ["drop", "correct"])
def test_a_training_changes_the_sure_ones_of_its_own_rows_alone(audited: Audited, in_training: str) -> None:
    rules = AuditRules.model_validate({"in_training": in_training, "folds": 3, "sure": 0.8})
    suspects = audit_labels(audited.listings, rules, seed=0)
    assert set(suspects["text_key"].map(split_of)) == {"train"}
    after = without_errors(audited.listings, suspects, rules).set_index("text_key")["prdtypecode"]
    before = audited.listings.set_index("text_key")["prdtypecode"]
    sure = suspects[suspects["sure"]].set_index("text_key")["proposed_code"]
    others = before.index.difference(sure.index)
    assert after[others].equals(before[others])
    if in_training == "drop":
        assert not after.index.isin(sure.index).any()
    else:
        assert after[sure.index].equals(sure.rename("prdtypecode"))


def test_a_training_that_only_reports_learns_from_the_labels_as_they_are(audited: Audited) -> None:
    assert without_errors(audited.listings, audited.suspects, RULES).equals(audited.listings)


def test_near_duplicates_with_the_same_wrong_label_do_not_vouch_for_each_other() -> None:
    pools = [f"piscine gonflable ronde a{number} b{number} c{number} d{number}" for number in range(100)]
    sofas = [f"canape convertible gris e{number} f{number} g{number} h{number}" for number in range(100)]
    copies = [f"piscine gonflable ronde jardin terrasse couleur{number}" for number in range(4)]
    listings = table([*pools, *sofas, *copies], [1] * 100 + [2] * 100 + [2] * 4)
    confidence, _ = out_of_fold_confidence(listings, np.array([0] * 100 + [1] * 104), folds=2, seed=1)
    assert (confidence[-4:, 0] > 0.8).all()


def test_a_type_that_no_other_model_could_learn_is_not_doubted() -> None:
    titles = [*(f"piscine ronde {n}" for n in range(40)), *(f"canape gris {n}" for n in range(40)), "livre ancien"]
    listings = table(titles, [1] * 40 + [2] * 40 + [3])
    _, learned = out_of_fold_confidence(listings, np.array([0] * 40 + [1] * 40 + [2]), folds=3, seed=0)
    assert not learned[-1]
    assert "livre ancien" not in set(audit_labels(listings, RULES, seed=0)["designation"])


def test_one_type_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two types are needed"):
        audit_labels(table(["a", "b"], [1, 1]), RULES, seed=0)
