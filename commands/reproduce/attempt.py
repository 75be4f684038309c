"""One reproduction: what it does in which order, and what it has found so far."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd

from commands.reproduce.champion import champion_answers
from commands.reproduce.child import Child
from commands.reproduce.facts import recorded_facts
from commands.reproduce.gone import GoneError
from commands.reproduce.libraries import python_of
from commands.reproduce.recorded import Recorded, read_recorded
from commands.reproduce.verdict import (
    Answers,
    DecisionPair,
    Fact,
    Reproduction,
    Score,
    compare_answers,
    compare_scores,
    verdict_of,
)
from commands.reproduce.worktree import checked_out
from terminal.progress import phase

_NOT_REACHED = "not reached"


class Attempt:
    """Makes a version again. What it needs and finds is in the result, also when something is gone."""

    def __init__(self, name: str, which: str) -> None:
        self._name = name
        self._number = which
        self._facts: dict[str, Fact] = {}
        self._gone: list[str] = []
        self._answers: Answers | None = None
        self._weighted_f1: float | None = None
        self._scores: list[Score] = []
        self._decision: DecisionPair | None = None

    def run(self, folder: Path, work: Path, *, install: bool) -> None:
        """Make the version again and compare it. `folder` keeps environments, `work` holds the files of this attempt.

        Raises `MlflowException`, and `CommandError` where something fails that is not gone.
        """
        try:
            with phase("read the record"):
                recorded = read_recorded(self._name, self._number)
            self._number = recorded.version.number
            self._facts = {
                what: Fact(what=what, recorded=text, found=_NOT_REACHED) for what, text in recorded_facts(recorded)
            }
            with ExitStack() as worktree:
                self._train(recorded, worktree, folder, work, install=install)
        except GoneError as error:
            self._gone.append(str(error))

    def _train(self, recorded: Recorded, worktree: ExitStack, folder: Path, work: Path, *, install: bool) -> None:
        record = recorded.record
        with self._looking_for("Commit"), phase("check out the commit"):
            root = worktree.enter_context(checked_out(record, folder / "tree"))
        self._found("Commit", "checked out in a worktree: the same code")
        with self._looking_for("Libraries"), phase("install the libraries" if install else "check the libraries"):
            python, words = python_of(record, root, folder, install=install)
        self._found("Libraries", words)
        self._found("Configuration", "used as recorded")
        child = Child(record, root, python, work)
        with self._looking_for("Data"), phase("fetch the rows"):
            self._found("Data", child.fetch_rows())
        champion = self._ask_champion(recorded, child)
        with phase("train again"):
            answers, result = child.train(champion)
        self._answers = compare_answers(recorded.answers, answers)
        self._weighted_f1 = result["evaluation"]["weighted_f1"]
        self._scores = compare_scores(recorded.evaluation, result["evaluation"])
        if result["decision"] is not None:
            self._decision = DecisionPair(
                recorded=recorded.decision["promoted"],
                recorded_reason=recorded.decision["reason"],
                reproduced=result["decision"]["promoted"],
                reproduced_reason=result["decision"]["reason"],
            )

    def _ask_champion(self, recorded: Recorded, child: Child) -> pd.DataFrame | None:
        """Return the champion's answers. Without it, the answers of the version itself can still be compared."""
        if not recorded.was_compared:
            self._found("Champion", "not needed")
            return None
        try:
            with self._looking_for("Champion"), phase("ask the champion"):
                answers = champion_answers(recorded, child.test_rows(), child.python)
        except GoneError as error:
            self._gone.append(str(error))
            return None
        self._found("Champion", "asked again: model and code as registered")
        return answers

    @contextmanager
    def _looking_for(self, what: str) -> Iterator[None]:
        try:
            yield
        except GoneError:
            self._found(what, "gone")
            raise

    def _found(self, what: str, words: str) -> None:
        self._facts[what] = self._facts[what].model_copy(update={"found": words})

    def result(self, seconds: float) -> Reproduction:
        """Return what came of it."""
        return Reproduction(
            verdict=verdict_of(self._answers, self._scores, self._decision, self._gone),
            model_name=self._name,
            model_version=self._number,
            facts=list(self._facts.values()),
            answers=self._answers,
            weighted_f1=self._weighted_f1,
            different_scores=self._scores,
            decision=self._decision,
            gone=self._gone,
            seconds=round(seconds, 1),
        )
