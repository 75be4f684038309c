"""Promotions and rollbacks on a real MLflow with SQLite, also when the log, a version or the registry fails."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException

from tracking import registry
from tracking.promotion_log import Entry, PromotionLogError, log_name, read_entries
from tracking.promotions import ProductionMovedError, PromotionError, RollbackError, line_of, promote, roll_back
from tracking.registry import PREVIOUS, PRODUCTION

NAME = "shop"


def new_version(number: int, folder: Path) -> str:
    source = folder / f"model-{number}"
    source.mkdir(exist_ok=True)
    (source / "MLmodel").write_text("flavors: {}\n")
    challenger = registry.Challenger(
        run_id=f"run{number}", evaluation_run="", model_uri=source.as_uri(), taxonomy="digest", source="files"
    )
    return registry.register(NAME, challenger).number


def alias(name: str) -> str | None:
    version = registry.by_alias(NAME, name)
    return version.number if version else None


def promoted(folder: Path, *numbers: int) -> None:
    for number in numbers:
        promote(NAME, new_version(number, folder), f"reason {number}", against=alias(PRODUCTION))


def states() -> list[str]:
    return [entry.state for entry in read_entries(NAME)]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`failing(method, when)` makes calls of MLflow's client fail, before they do anything or `after` it."""

    def fail(method: str, *words: str, after: bool = False) -> None:
        honest = getattr(mlflow.MlflowClient, method)

        def call(client: Any, *arguments: Any, **named: Any) -> Any:
            chosen = all(word in arguments for word in words)
            result = honest(client, *arguments, **named) if after or not chosen else None
            if chosen:
                raise MlflowException("the database is locked")
            return result

        monkeypatch.setattr(mlflow.MlflowClient, method, call)

    return fail


def test_promotions_move_both_aliases_and_grow_the_log(tracker: Path) -> None:
    promoted(tracker, 1, 2)
    assert (alias(PRODUCTION), alias(PREVIOUS)) == ("2", "1")
    assert [(entry.reason, entry.state) for entry in read_entries(NAME)] == [("reason 1", "done"), ("reason 2", "done")]


def test_promoting_what_is_in_production_changes_nothing(tracker: Path) -> None:
    promoted(tracker, 1, 1)
    assert alias(PREVIOUS) is None
    assert len(read_entries(NAME)) == 1


def test_rollbacks_go_one_further_back_each_time_and_say_why(tracker: Path) -> None:
    with pytest.raises(RollbackError, match="has no version in production"):
        roll_back(NAME, "why not")
    promoted(tracker, 1, 2, 3)
    moved = roll_back(NAME, "worse on toys")
    assert (moved.left.number, moved.now.number, alias(PRODUCTION), alias(PREVIOUS)) == ("3", "2", "2", "1")
    roll_back(NAME, "still worse")
    assert (alias(PRODUCTION), alias(PREVIOUS)) == ("1", None)
    with pytest.raises(RollbackError, match="version 1 is the first"):
        roll_back(NAME, "again")
    assert [entry.event for entry in read_entries(NAME)] == ["promotion"] * 3 + ["rollback"] * 2


def test_a_rollback_that_is_asked_for_twice_goes_back_once(tracker: Path) -> None:
    promoted(tracker, 1, 2, 3)
    assert roll_back(NAME, "worse on toys", leaving="3").now.number == "2"
    with pytest.raises(RollbackError, match=r"version 2 .* is in production by now, and not version 3: nothing was"):
        roll_back(NAME, "worse on toys", leaving="3")
    assert alias(PRODUCTION) == "2"


def test_a_rollback_after_a_new_promotion_skips_what_was_rolled_back(tracker: Path) -> None:
    promoted(tracker, 1, 2)
    roll_back(NAME, "2 is bad")
    promoted(tracker, 3)
    assert (alias(PRODUCTION), alias(PREVIOUS)) == ("3", "1")
    roll_back(NAME, "3 is bad too")
    assert alias(PRODUCTION) == "1"


def test_a_version_that_was_promoted_twice_is_twice_in_the_line(tracker: Path) -> None:
    promoted(tracker, 1, 2, 1, 3)
    seen = []
    for _ in range(3):
        roll_back(NAME, "back")
        seen.append((alias(PRODUCTION), alias(PREVIOUS)))
    assert seen == [("1", "2"), ("2", "1"), ("1", None)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["1", "2", "3", "back"]), max_size=12))
def test_after_any_sequence_a_rollback_undoes_the_last_promotion_that_was_not_undone(moves: list[str]) -> None:
    expected: list[str] = []
    entries: list[Entry] = []
    for move in moves:
        now = expected[-1] if expected else None
        if move == "back":
            if len(expected) < 2:
                continue
            expected.pop()
            entries.append(an_entry("rollback", now, expected[-1]))
        elif move != now:
            expected.append(move)
            entries.append(an_entry("promotion", now, move))
    assert line_of(entries, expected[-1] if expected else None, None) == expected


def an_entry(event: Any, before: str | None, after: str) -> Entry:
    return Entry(run_id="", event=event, before=before, after=after, reason="", state="done", at=datetime.now(UTC))


def test_previous_is_where_the_next_rollback_goes(tracker: Path) -> None:
    for move in (1, 2, 3, None, 1, 4, None, None, 2, None):
        if move is None:
            wanted = alias(PREVIOUS)
            assert roll_back(NAME, "back").now.number == wanted
        else:
            promoted(tracker, move)


def test_a_deleted_log_is_restored_with_its_history(tracker: Path) -> None:
    promoted(tracker, 1, 2)
    log = mlflow.get_experiment_by_name(log_name(NAME))
    assert log is not None
    mlflow.delete_experiment(log.experiment_id)
    promoted(tracker, 3)
    assert len(read_entries(NAME)) == 3
    mlflow.delete_experiment(log.experiment_id)
    assert [roll_back(NAME, "back").now.number for _ in range(2)] == ["2", "1"]


def test_without_any_history_a_rollback_goes_to_the_alias_previous(tracker: Path) -> None:
    promoted(tracker, 1, 2)
    for entry in read_entries(NAME):
        mlflow.delete_run(entry.run_id)
    assert roll_back(NAME, "back").now.number == "1"


def test_an_alias_that_was_moved_by_hand_is_where_a_rollback_begins(tracker: Path) -> None:
    promoted(tracker, 1, 2, 3)
    mlflow.MlflowClient().set_registered_model_alias(NAME, PRODUCTION, "2")
    assert roll_back(NAME, "back").now.number == "1"


@pytest.mark.parametrize("method", ["create_experiment", "create_run"])
def test_nothing_moves_when_the_log_cannot_be_written(tracker: Path, failing: Any, method: str) -> None:
    failing(method)
    with pytest.raises(PromotionLogError, match="cannot be written in MLflow, so nothing was moved: the database is"):
        promoted(tracker, 1)
    assert alias(PRODUCTION) is None


def test_an_alias_that_cannot_be_moved_leaves_a_failed_entry_and_the_truth(tracker: Path, failing: Any) -> None:
    promoted(tracker, 1, 2)
    new_version(3, tracker)
    failing("set_registered_model_alias", PRODUCTION)
    with pytest.raises(PromotionError, match="version 3 could not be put into production, version 2 of 'shop' is in"):
        promoted(tracker, 3)
    assert (alias(PRODUCTION), alias(PREVIOUS), states()) == ("2", "1", ["done", "done", "failed"])


def test_an_alias_that_moved_although_its_answer_was_lost_counts_as_moved(tracker: Path, failing: Any) -> None:
    promoted(tracker, 1)
    failing("set_registered_model_alias", PRODUCTION, after=True)
    promoted(tracker, 2)
    assert (alias(PRODUCTION), alias(PREVIOUS), states()) == ("2", "1", ["done", "done"])


def test_what_a_process_left_half_done_is_ended_as_the_aliases_show(
    tracker: Path, failing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(tracker, 1)
    with monkeypatch.context():
        failing("set_terminated")  # like a process that ends after the aliases were moved
        promoted(tracker, 2)
    assert states() == ["done", "pending"]
    monkeypatch.undo()
    mlflow.set_tracking_uri(f"sqlite:///{tracker / 'mlflow.db'}")
    assert roll_back(NAME, "back").now.number == "1"
    assert states() == ["done", "done", "done"]


def test_versions_that_were_deleted_are_skipped_and_named(tracker: Path) -> None:
    promoted(tracker, 1, 2, 3)
    mlflow.MlflowClient().delete_model_version(NAME, "2")
    moved = roll_back(NAME, "back")
    assert (moved.now.number, moved.gone, alias(PREVIOUS)) == ("1", ("2",), None)


def test_a_rollback_to_nothing_but_deleted_versions_says_the_way_on(tracker: Path) -> None:
    promoted(tracker, 1, 2, 3)
    for number in ("1", "2"):
        mlflow.MlflowClient().delete_model_version(NAME, number)
    with pytest.raises(
        RollbackError, match="versions 2 and 1 are no longer in the registry; train another with --new-"
    ):
        roll_back(NAME, "back")
    assert alias(PRODUCTION) == "3"


def test_only_the_version_that_was_compared_is_replaced(tracker: Path) -> None:
    promoted(tracker, 1, 2)
    number = new_version(3, tracker)
    roll_back(NAME, "on another machine, while 3 was compared with 2")
    with pytest.raises(ProductionMovedError, match="version 1 was put into production meanwhile; run again"):
        promote(NAME, number, "better than 2", against="2")
    with pytest.raises(ProductionMovedError, match="version 1 was put into production meanwhile"):
        promote(NAME, number, "the first", against=None)
    assert (alias(PRODUCTION), states()[-2:]) == ("1", ["failed", "failed"])
