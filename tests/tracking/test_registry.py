"""Versions, aliases and the promotion log on a real MLflow with SQLite."""

from pathlib import Path

import pytest

from tracking import registry
from tracking.registry import CHALLENGER, PREVIOUS, PRODUCTION, RollbackError

NAME = "shop"


def new_version(number: int, folder: Path) -> registry.RegisteredVersion:
    source = folder / f"model-{number}"
    source.mkdir()
    (source / "MLmodel").write_text("flavors: {}\n")
    return registry.register(NAME, f"run{number}", source.as_uri(), "digest", "files")


def alias(name: str) -> str | None:
    version = registry.by_alias(NAME, name)
    return version.number if version else None


def test_a_model_that_nobody_registered_has_no_version(tracker: Path) -> None:
    assert alias(PRODUCTION) is None
    with pytest.raises(RollbackError, match="has no version in production"):
        registry.roll_back(NAME, "why not")


def test_the_newest_version_is_the_challenger_and_no_more(tracker: Path) -> None:
    assert new_version(1, tracker).number == "1"
    assert (alias(CHALLENGER), alias(PRODUCTION), alias(PREVIOUS)) == ("1", None, None)


def test_registering_the_same_run_again_makes_no_second_version(tracker: Path) -> None:
    first = new_version(1, tracker)
    assert registry.register(NAME, "run1", first.source, "digest", "files").number == "1"


def test_the_same_run_for_another_taxonomy_is_another_version(tracker: Path) -> None:
    first = new_version(1, tracker)
    assert registry.register(NAME, "run1", first.source, "other digest", "files").number == "2"


def test_promotions_move_both_aliases_and_grow_the_log(tracker: Path) -> None:
    for number in (1, 2):
        registry.promote(NAME, new_version(number, tracker).number, f"reason {number}")
    assert (alias(PRODUCTION), alias(PREVIOUS)) == ("2", "1")
    assert [run.data.tags["reason"] for run in registry.promotion_log(NAME)] == ["reason 1", "reason 2"]


def test_promoting_what_is_in_production_changes_nothing(tracker: Path) -> None:
    number = new_version(1, tracker).number
    registry.promote(NAME, number, "first")
    registry.promote(NAME, number, "again")
    assert alias(PREVIOUS) is None
    assert len(registry.promotion_log(NAME)) == 1


def test_rollbacks_go_one_further_back_each_time_and_say_why(tracker: Path) -> None:
    for number in (1, 2, 3):
        registry.promote(NAME, new_version(number, tracker).number, "better")
    left, now = registry.roll_back(NAME, "worse on toys")
    assert (left.number, now.number, alias(PRODUCTION), alias(PREVIOUS)) == ("3", "2", "2", "1")
    registry.roll_back(NAME, "still worse")
    assert (alias(PRODUCTION), alias(PREVIOUS)) == ("1", None)
    with pytest.raises(RollbackError, match="version 1 is the first"):
        registry.roll_back(NAME, "again")
    assert [run.data.tags["event"] for run in registry.promotion_log(NAME)] == ["promotion"] * 3 + ["rollback"] * 2


def test_a_rollback_after_a_new_promotion_skips_what_was_rolled_back(tracker: Path) -> None:
    for number in (1, 2):
        registry.promote(NAME, new_version(number, tracker).number, "better")
    registry.roll_back(NAME, "2 is bad")
    registry.promote(NAME, new_version(3, tracker).number, "better")
    assert (alias(PRODUCTION), alias(PREVIOUS)) == ("3", "1")
    registry.roll_back(NAME, "3 is bad too")
    assert alias(PRODUCTION) == "1"
