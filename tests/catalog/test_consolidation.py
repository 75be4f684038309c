"""One clean table: repetition, trust, and splits that never leak or move."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.consolidation import Consolidation, ConsolidationRules, consolidate, content_hash
from catalog.listings import read_listings
from catalog.profile import Conflict, Profile
from catalog.split_key import KEY_VERSION, text_key
from catalog.splits import split_of
from catalog.taxonomy import Taxonomy
from ledger.callers import SIMULATOR, TRUSTED_ROLES
from ledger.feedback import COLUMNS

CODES = {10, 40, 50}
NO_FEEDBACK = pd.DataFrame(columns=COLUMNS)
START = datetime(2026, 1, 1, tzinfo=UTC)


def listings(*rows: tuple[str, str | None, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "index": [str(number) for number in range(len(rows))],
            "designation": [title for title, _, _ in rows],
            "description": pd.Series([description for _, description, _ in rows], dtype=object),
            "productid": "1",
            "imageid": "1",
            "prdtypecode": [str(code) for _, _, code in rows],
        }
    )


def feedback(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    """Rows of (title, code, user, role), given one hour after the other."""
    return pd.DataFrame(
        [
            (
                f"p{hour}",
                title,
                None,
                code,
                user,
                role,
                START + timedelta(hours=hour),
                role == SIMULATOR,
                role in TRUSTED_ROLES,
                False,
            )
            for hour, (title, code, user, role) in enumerate(rows)
        ],
        columns=COLUMNS,
    )


def test_a_reviewed_text_is_in_the_random_sample_if_any_of_its_predictions_is() -> None:
    given = feedback(("bain", 10, "rita", "reviewer"), ("bain", 40, "rita", "reviewer"), ("lit", 50, "rita", "admin"))
    given["sampled"] = [True, False, False]
    rows = run(listings(("bac", None, 10)), given).listings.set_index("designation")
    assert rows["sampled"].to_dict() == {"bac": False, "bain": True, "lit": False}
    assert rows["prdtypecode"]["bain"] == 40  # the newest label


def run(raw: pd.DataFrame, given: pd.DataFrame = NO_FEEDBACK, **rules: Any) -> Consolidation:
    return consolidate(raw, given, CODES, ConsolidationRules(**{"max_user_share": 1, **rules}))


def codes_of(outcome: Consolidation) -> dict[str, int]:
    return dict(zip(outcome.listings["designation"], outcome.listings["prdtypecode"], strict=True))


def title_in(split: str, number: int = 0) -> str:
    """A title whose text falls into a split."""
    found = (title for title in map("titre {}".format, range(10_000)) if split_of(text_key(title, None)) == split)
    return next(title for place, title in enumerate(found) if place == number)


def test_the_same_text_is_kept_once_whatever_its_case_accents_and_mark_up() -> None:
    outcome = run(listings(("Été", None, 10), ("ETE", "", 10), ("<b>&eacute;t&eacute;</b>", None, 10)))
    assert len(outcome.listings) == 1
    assert outcome.profile.duplicates_removed == 2


def test_the_same_title_with_another_description_is_another_text() -> None:
    outcome = run(listings(("été", "avec pompe", 10), ("été", "sans pompe", 10), ("été", None, 10)))
    assert len(outcome.listings) == 3
    assert outcome.profile.duplicates_removed == 0


def test_of_several_codes_for_a_text_the_majority_is_kept_and_the_conflict_is_reported() -> None:
    outcome = run(listings(("a", None, 10), ("a", None, 40), ("A", None, 40), ("b", None, 10), ("b", None, 50)))
    assert set(codes_of(outcome).values()) == {40, 10}
    assert outcome.profile.conflicts.count == 2
    assert Conflict(index=("3", "4"), codes=(10, 50), kept=10) in outcome.profile.conflicts.examples


def test_empty_titles_are_dropped_and_long_ones_cut() -> None:
    outcome = run(listings(("  ", None, 10), ("x" * 20_000, None, 10)))
    assert outcome.listings["designation"].str.len().tolist() == [10_000]
    assert (outcome.profile.empty_titles_dropped, outcome.profile.titles_cut) == (1, 1)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_feedback_of_a_reviewer_counts_like_a_listing_in_any_split(split: str) -> None:
    outcome = run(listings(("a", None, 10)), feedback((title_in(split), 40, "r", "reviewer")))
    row = outcome.listings[outcome.listings["origin"] == "reviewed"].iloc[0]
    assert (row["prdtypecode"], row["split"]) == (40, split)


def test_the_newest_trusted_label_wins_over_older_ones_and_over_the_listing() -> None:
    given = feedback(("a", 40, "r", "reviewer"), ("A", 50, "boss", "admin"))
    outcome = run(listings(("a", None, 10)), given)
    assert outcome.listings["prdtypecode"].tolist() == [50]
    assert outcome.profile.feedback.labels_replaced == 1
    assert outcome.profile.conflicts.count == 1


def test_feedback_of_a_plain_user_enters_the_train_split_only() -> None:
    titles = {split: title_in(split) for split in ("train", "validation", "test")}
    outcome = run(listings(("a", None, 10)), feedback(*[(title, 40, "u", "user") for title in titles.values()]))
    users = outcome.listings[outcome.listings["origin"] == "user"]
    assert users["designation"].tolist() == [titles["train"]]
    assert outcome.profile.feedback.user_held_out == 2


def test_feedback_of_a_plain_user_never_replaces_a_listing_or_a_reviewers_label() -> None:
    reviewed = title_in("train", 1)
    given = feedback((reviewed, 50, "r", "reviewer"), (title_in("train"), 40, "u", "user"), (reviewed, 40, "u", "user"))
    outcome = run(listings((title_in("train"), None, 10)), given)
    assert codes_of(outcome) == {title_in("train"): 10, reviewed: 50}
    assert outcome.profile.feedback.user_labelled_better == 2


def test_one_user_adds_rows_up_to_the_limit_and_the_newest_are_kept() -> None:
    titles = [title_in("train", number) for number in range(5)]
    given = feedback(*[(title, 40, "flood", "user") for title in titles], (title_in("train", 7), 40, "other", "user"))
    outcome = run(listings(("a", None, 10)), given, max_feedback_per_user=2)
    kept = outcome.listings.loc[outcome.listings["origin"] == "user", "designation"]
    assert set(kept) == {titles[3], titles[4], title_in("train", 7)}
    assert outcome.profile.feedback.user_over_the_cap == 3
    assert outcome.profile.feedback.users_at_the_cap == 1
    assert "flood" not in str(outcome.profile)


def users_titles(outcome: Consolidation) -> set[str]:
    return set(outcome.listings.loc[outcome.listings["origin"] == "user", "designation"])


def test_many_users_together_add_at_most_their_share_of_each_type_and_the_newest_are_kept() -> None:
    train = [title_in("train", number) for number in range(40)]
    own = listings(*[(title, None, 10) for title in train[:8]], *[(title, None, 40) for title in train[8:12]],
                   *[(title_in("test", number), None, 10) for number in range(20)])  # fmt: skip
    tens = [(title, 10, f"u{number}", "user") for number, title in enumerate(train[12:22])]
    forties = [(title, 40, f"u{number}", "user") for number, title in enumerate(train[22:30])]
    outcome = run(own, feedback(*tens, *forties, (train[30], 50, "u", "user")), max_user_share=0.2)
    assert users_titles(outcome) == {train[20], train[21], train[29]}  # 2 beside 8, 1 beside 4, none beside none
    counts = outcome.profile.feedback
    assert (counts.user, counts.user_over_the_share, counts.types_at_the_share) == (3, 16, 3)
    assert users_titles(run(own, feedback(*tens), max_user_share=0)) == set()
    assert len(users_titles(run(own, feedback(*tens), max_user_share=0.5))) == 8
    assert len(users_titles(run(own, feedback(*tens), max_user_share=1))) == 10


def test_what_is_at_the_share_does_not_depend_on_the_order_of_equal_times() -> None:
    train = [title_in("train", number) for number in range(30)]
    own = listings(*[(title, None, 10) for title in train[:8]])
    given = feedback(*[(title, 10, f"u{title}", "user") for title in train[8:]]).assign(given_at=START)
    one, other = (run(own, rows, max_user_share=0.2) for rows in (given, given[::-1]))
    assert users_titles(one) == users_titles(other)
    assert len(users_titles(one)) == 2


@pytest.mark.parametrize("role", ["simulator", "reviewer"])
def test_what_is_simulated_enters_training_only_when_asked_for(role: str) -> None:
    title = title_in("train")
    given = feedback((title, 40, "someone", role), ("b", 50, "rita", "reviewer")).assign(simulated=[True, False])
    own = listings(("a", None, 10))
    assert codes_of(run(own, given)) == {"a": 10, "b": 50}
    counts = run(own, given).profile.feedback
    assert (counts.given, counts.simulated, counts.trusted, counts.user) == (2, 1, 1, 0)
    asked_for = run(own, given, include_simulated=True)
    assert codes_of(asked_for)[title] == 40
    assert asked_for.profile.feedback.simulated == 0


def test_when_users_disagree_the_majority_decides_and_nobody_votes_twice() -> None:
    title = title_in("train")
    given = feedback((title, 40, "u1", "user"), (title, 40, "u1", "user"), (title, 50, "u2", "user"),
                     (title, 50, "u3", "user"))  # fmt: skip
    assert codes_of(run(listings(("a", None, 10)), given))[title] == 50


def test_feedback_with_an_unknown_code_is_left_out_and_counted() -> None:
    outcome = run(listings(("a", None, 10)), feedback(("b", 999, "r", "reviewer")))
    assert len(outcome.listings) == 1
    assert outcome.profile.feedback.unknown_code == 1


texts = st.text(alphabet="aAéE <b>&;", min_size=1, max_size=8).filter(lambda text: text.strip() != "")
tables = st.lists(
    st.tuples(texts, st.one_of(st.none(), texts), st.sampled_from(sorted(CODES))), min_size=1, max_size=30
)


@settings(max_examples=50, deadline=None)
@given(tables)
def test_no_text_is_in_two_splits(rows: list[tuple[str, str | None, int]]) -> None:
    frame = run(listings(*rows), near_duplicates=None).listings
    keys = [text_key(*pair) for pair in zip(frame["designation"], frame["description"], strict=True)]
    assert keys == frame["text_key"].tolist()
    assert len(set(keys)) == len(keys)


@settings(max_examples=50, deadline=None)
@given(tables, tables)
def test_a_row_keeps_its_split_as_data_grows(
    rows: list[tuple[str, str | None, int]], more: list[tuple[str, str | None, int]]
) -> None:
    before = run(listings(*rows), near_duplicates=None).listings.set_index("text_key")["split"]
    after = run(listings(*rows, *more), near_duplicates=None).listings.set_index("text_key")["split"]
    assert after[before.index].equals(before)


def test_the_hash_depends_neither_on_the_order_nor_on_the_index() -> None:
    rows = [(f"titre {number}", None, 10) for number in range(50)]
    one, other = run(listings(*rows)), run(listings(*reversed(rows)))
    assert one.profile.split_key == KEY_VERSION
    assert one.profile.data_hash == other.profile.data_hash == content_hash(one.listings)
    changed = run(listings(*rows[:-1], ("titre 49", None, 40)))
    assert changed.profile.data_hash != one.profile.data_hash


def test_the_splits_have_about_80_10_and_10_percent() -> None:
    outcome = run(listings(*[(f"titre {number}", None, 10) for number in range(3_000)]))
    shares = {split: rows / 3_000 for split, rows in outcome.profile.splits.items()}
    assert shares == pytest.approx({"train": 0.8, "validation": 0.1, "test": 0.1}, abs=0.02)


def test_a_profile_is_the_same_after_a_round_through_json() -> None:
    profile = run(listings(("a", None, 10), ("a", None, 40), ("b", None, 10))).profile
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_real_offers_consolidate_as_counted_by_hand(real_listings: Path) -> None:
    taxonomy = Taxonomy.read(real_listings / "taxonomy.csv")
    outcome = consolidate(read_listings(real_listings), NO_FEEDBACK, taxonomy.labels, ConsolidationRules())
    assert (outcome.profile.duplicates_removed, outcome.profile.conflicts.count) == (4_318, 2)
    assert taxonomy.name == "pricerunner"


def test_rows_from_feedback_carry_the_id_of_their_prediction_and_listings_none() -> None:
    given = feedback((title_in("train"), 10, "ulf", "user"), ("titre z", 40, "rita", "reviewer"))
    rows = run(listings(("titre a", None, 10)), given).listings
    found = dict(zip(rows["designation"], rows["prediction_id"], strict=True))
    assert found == {"titre a": None, title_in("train"): "p0", "titre z": "p1"}
