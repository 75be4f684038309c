"""Whether a version that was made again is the one that was recorded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

Verdict = Literal["same", "different", "incomplete"]
_SAME = 1e-6  # of a confidence or a score: other processors sum in another order


class Answers(BaseModel):
    """The answers on the test rows, compared: how many are recorded, and how many have the same code.

    `greatest_difference` is that of a confidence. `other_rows` were answered by only one of the two.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    same: int
    greatest_difference: float
    other_rows: int

    @property
    def are_same(self) -> bool:
        """Whether every answer is the same."""
        return self.rows == self.same and self.other_rows == 0 and self.greatest_difference <= _SAME


class Score(BaseModel):
    """A score that differs."""

    model_config = ConfigDict(frozen=True)

    name: str
    recorded: float | None
    reproduced: float | None


class DecisionPair(BaseModel):
    """The recorded decision, and the one that was made again."""

    model_config = ConfigDict(frozen=True)

    recorded: bool
    recorded_reason: str
    reproduced: bool
    reproduced_reason: str

    @property
    def is_same(self) -> bool:
        """Whether decision and reason are the same."""
        return (self.recorded, self.recorded_reason) == (self.reproduced, self.reproduced_reason)


class Fact(BaseModel):
    """Something that a version was made from: what was recorded, and what was found of it."""

    model_config = ConfigDict(frozen=True)

    what: str
    recorded: str
    found: str


class Reproduction(BaseModel):
    """What `run.py reproduce` found. None: it was not reached, or, of the decision, there was nothing to compare.

    `verdict`: `same` and `different` are about answers, scores and decision; with `incomplete` something is gone, and
    `gone` says what.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    verdict: Verdict
    model_name: str
    model_version: str
    facts: list[Fact]
    answers: Answers | None
    weighted_f1: float | None
    different_scores: list[Score]
    decision: DecisionPair | None
    gone: list[str]
    seconds: float


def verdict_of(
    answers: Answers | None, scores: Sequence[Score], decision: DecisionPair | None, gone: Sequence[str]
) -> Verdict:
    """Return the verdict. What differs comes before what is gone."""
    if answers and (not answers.are_same or scores or (decision and not decision.is_same)):
        return "different"
    return "incomplete" if gone or answers is None else "same"


def compare_answers(recorded: pd.DataFrame, reproduced: pd.DataFrame) -> Answers:
    """Compare two tables of answers: `text_key`, `predicted_code` and `confidence`."""
    columns = ["text_key", "predicted_code", "confidence"]
    both = recorded[columns].merge(reproduced[columns], on="text_key", suffixes=("", "_again"))
    differences = (both["confidence"] - both["confidence_again"]).abs()
    return Answers(
        rows=len(recorded),
        same=int((both["predicted_code"] == both["predicted_code_again"]).sum()),
        greatest_difference=float(differences.max()) if len(both) else 0.0,
        other_rows=len(recorded) + len(reproduced) - 2 * len(both),
    )


def compare_scores(recorded: Mapping[str, Any], reproduced: Mapping[str, Any]) -> list[Score]:
    """Return the scores that differ between two evaluations, as they are logged. Nested ones have a dotted name."""
    first, second = dict(_numbers(recorded)), dict(_numbers(reproduced))
    return [
        Score(name=name, recorded=first.get(name), reproduced=second.get(name))
        for name in sorted(first.keys() | second.keys())
        if not _equal(first.get(name), second.get(name))
    ]


def _equal(first: float | None, second: float | None) -> bool:
    return first == second or (first is not None and second is not None and abs(first - second) <= _SAME)


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers in a JSON value, with where they are."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int | float):
        yield name, float(value)
        return
    entries = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, entry in entries:
        yield from _numbers(entry, f"{name}.{key}" if name else str(key))
