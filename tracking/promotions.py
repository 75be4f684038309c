"""Promotions and rollbacks: which version is in production, and what was in production before it.

The versions in production form a line: a promotion adds one to its end, a rollback takes the last one away. The line
follows from the log, but the aliases and the versions that exist decide where the log says something else.
"""

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import mlflow
from mlflow.exceptions import MlflowException

from tracking.promotion_log import Entry, Event, begin_entry, end_entry, read_entries
from tracking.registry import PREVIOUS, PRODUCTION, RegisteredVersion, by_alias, by_number, existing_numbers

logger = logging.getLogger(__name__)


class PromotionError(RuntimeError):
    """`production` was not moved as asked; the message says which version is in production."""


class ProductionMovedError(PromotionError):
    """Another version than expected is in production: someone else has promoted or rolled back."""


class RollbackError(RuntimeError):
    """There is no version to return to."""


@dataclass(frozen=True)
class RolledBack:
    """The version that was in production, the one that is now, and those between them that no longer exist.

    `entry` is the id of the entry in the promotion log.
    """

    left: RegisteredVersion
    now: RegisteredVersion
    gone: tuple[str, ...]
    entry: str


def promote(name: str, number: str, reason: str, *, against: str | None) -> None:
    """Move `production` to a version and `previous` to the one that it replaces.

    `against` is the version with which this one was compared (None: there was none in production). Only that one is
    replaced. MLflow has no compare-and-set, so it is looked up immediately before the move, and again after it. Raises
    `ProductionMovedError` if another version is in production, `PromotionError` if the registry refuses, and
    `PromotionLogError` if the log cannot be written; nothing has moved then.
    """
    line = _settled_line(name)
    if line and line[-1] == number:
        return
    target = _target([*line, number], existing_numbers(name))[0]
    _move(name, "promotion", against, number, target, reason)


def roll_back(name: str, reason: str, by: str | None = None, *, leaving: str | None = None) -> RolledBack:
    """Move `production` back to the version before. Repeated, it goes one further back.

    `by`: the user who asks for it, for the log. `leaving`: the version that is to leave (None: whichever is in
    production). Versions that no longer exist are skipped. Raises `RollbackError` if there is none to return to or
    another one is in production, and what `promote` raises.
    """
    line = _settled_line(name)
    if not line:
        raise RollbackError(f"model '{name}' has no version in production: there is nothing to roll back")
    if leaving not in (None, line[-1]):
        raise RollbackError(
            f"version {line[-1]} of model '{name}' is in production by now, and not version {leaving}: "
            "nothing was changed"
        )
    existing = existing_numbers(name)
    target, gone = _target(line, existing)
    if target is None and gone:
        raise RollbackError(
            f"nothing is left before version {line[-1]} of model '{name}': {_versions(gone)} no longer in the "
            "registry; train another with --new-baseline, or set the alias 'production' in MLflow"
        )
    if target is None:
        raise RollbackError(f"version {line[-1]} is the first of model '{name}' in production: nothing is before it")
    left, now = by_number(name, line[-1]), by_number(name, target)
    following = _target(_back_to(line[:-1], target), existing)[0]
    entry = _move(name, "rollback", left.number, target, following, reason, by)
    return RolledBack(left, now, gone, entry)


def line_of(entries: Iterable[Entry], now: str | None, previous: str | None) -> list[str]:
    """Return the versions that lead to the one in production, which is the last one; empty if there is none.

    `now` and `previous` are the versions that the aliases show.
    """
    line: list[str] = []
    for entry in entries:
        if entry.state != "done":
            continue
        line = _back_to(line, entry.before)
        line = [*line, entry.after] if entry.event == "promotion" else _back_to(line[:-1], entry.after)
    if not line and previous and previous != now:
        line = [previous]  # the log is lost
    return _back_to(line, now) if now else []


def _back_to(line: list[str], number: str | None) -> list[str]:
    """Return the line up to the last occurrence of a version; with the version at its end, if it does not occur."""
    if number is None:
        return line
    for end in range(len(line), 0, -1):
        if line[end - 1] == number:
            return line[:end]
    return [*line, number]


def _target(line: list[str], existing: Collection[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return where a rollback from the end of the line goes, and the versions on the way that no longer exist."""
    gone: list[str] = []
    for number in reversed(line[:-1]):
        if number in existing and number != line[-1]:
            return number, tuple(gone)
        if number not in existing and number not in gone:
            gone.append(number)
    return None, tuple(gone)


def _settled_line(name: str) -> list[str]:
    """Return the line, after the entries whose process died were ended as the aliases show."""
    now, previous = _number(name, PRODUCTION), _number(name, PREVIOUS)
    entries = read_entries(name)
    for place, entry in enumerate(entries):
        if entry.state != "pending":
            continue
        happened = entry is entries[-1] and entry.after == now != entry.before
        entries[place] = entry.model_copy(update={"state": "done" if happened else "failed"})
        end_entry(entry.run_id, failure=None if happened else "the process ended before the alias was moved")
    return line_of(entries, now, previous)


def _move(
    name: str, event: Event, expected: str | None, number: str, previous: str | None, reason: str, by: str | None = None
) -> str:
    """Move both aliases, with an entry in the log that begins before and says how it ended. Return its id."""
    entry = begin_entry(name, event, expected, number, reason, by)
    client = mlflow.MlflowClient()
    try:
        _require(name, expected)
        client.set_registered_model_alias(name, PRODUCTION, number)
        _require(name, number)
    except ProductionMovedError as error:
        _fail(entry, str(error))
        raise
    except MlflowException as error:
        _explain(name, number, entry, error)
    try:
        if previous:
            client.set_registered_model_alias(name, PREVIOUS, previous)
        elif by_alias(name, PREVIOUS):
            client.delete_registered_model_alias(name, PREVIOUS)
        end_entry(entry)
    except MlflowException as error:  # version `number` is in production; the next promotion or rollback ends the entry
        logger.warning("Version %s is in production, but its entry in the log is incomplete: %s", number, error)
    return entry


def _require(name: str, expected: str | None) -> None:
    now = _number(name, PRODUCTION)
    if now != expected:
        is_now = f"version {now} was put into production" if now else "production was left without a version"
        raise ProductionMovedError(f"{is_now} meanwhile; run again")


def _explain(name: str, number: str, entry: str, error: MlflowException) -> None:
    """Return if the alias was moved in spite of an error; else raise `PromotionError`, which says what is true."""
    try:
        now = _number(name, PRODUCTION)
    except MlflowException as unknown:
        raise PromotionError(
            f"the registry does not answer, so it is not known whether version {number} of '{name}' is in production: "
            f"{unknown}"
        ) from error
    if now == number:
        return
    is_now = f"version {now} of '{name}' is in production" if now else f"no version of '{name}' is in production"
    failure = f"version {number} could not be put into production, {is_now}: {error}"
    _fail(entry, failure)
    raise PromotionError(failure) from error


def _fail(entry: str, failure: str) -> None:
    with suppress(MlflowException):  # it stays pending then, and the next promotion or rollback ends it
        end_entry(entry, failure=failure)


def _number(name: str, alias: str) -> str | None:
    version = by_alias(name, alias)
    return version.number if version else None


def _versions(numbers: Collection[str]) -> str:
    """Return "version 2 is", or "versions 2 and 1 are"."""
    return f"version{'s' * (len(numbers) > 1)} {' and '.join(numbers)} {'are' if len(numbers) > 1 else 'is'}"
