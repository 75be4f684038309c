"""One catalogue from the file to the corrected answers, as a session has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from ui.listings import answers, columns
from ui.listings.checking import Checked, check
from ui.listings.columns import Columns
from ui.listings.job import Job
from ui.listings.reading import Table

Shown = Literal["all", "uncertain", "corrected", "failed"]
SHOWN: tuple[Shown, ...] = ("all", "uncertain", "corrected", "failed")
PAGE_ROWS = 100
CORRECT_TYPE, CORRECT_CODE = "correct_type", "correct_code"


@dataclass
class Catalogue:
    """A table, what stands where in it, and the work on it.

    Attributes:
        pending: by row, the code that the user says is right and that is not stored yet.
        stored: by row, the code that the service has stored as the user's word.
        stores: how often it has stored one.
    """

    table: Table
    columns: Columns
    checked: Checked | None = None
    job: Job | None = None
    pending: dict[int, int] = field(default_factory=dict)
    stored: dict[int, int] = field(default_factory=dict)
    stores: int = 0
    _answers: tuple[int, pd.DataFrame] | None = None

    @classmethod
    def of(cls, table: Table) -> "Catalogue":
        """Return a new one, with a guess of its columns."""
        return cls(table, columns.guess(table.frame))

    def rows(self) -> pd.DataFrame:
        """Return the rows of the file, under the names of the columns."""
        return columns.with_names(self.table.frame, self.columns.header)

    def check(self) -> Checked:
        """Return which rows can be classified. It is computed again when `checked` was set to None."""
        if self.checked is None:
            rows = self.rows()
            description = None if self.columns.description is None else rows.iloc[:, self.columns.description]
            self.checked = check(rows.iloc[:, self.columns.title], description)
        return self.checked

    def answered(self) -> pd.DataFrame:
        """Return the answers so far."""
        assert self.job is not None, "nothing was sent yet"
        count = len(self.job.answers)
        if self._answers is None or self._answers[0] != count:
            self._answers = count, self.job.answers.frame()
        return self._answers[1]

    def select(self, shown: Shown) -> pd.DataFrame:
        """Return some of the answers: `uncertain` are those that nobody has corrected or confirmed, the worst first."""
        found = self.answered()
        if shown == "uncertain":
            open_ = found[found[answers.UNCERTAIN] & ~found.index.isin(list(self.stored))]
            return open_.sort_values(answers.CONFIDENCE, kind="stable")
        if shown == "corrected":
            return found[found.index.isin(list(self.stored))]
        return found[found[answers.PROBLEM] != ""] if shown == "failed" else found

    def titles(self, rows: pd.Index) -> "pd.Series[str]":
        """Return the titles of some rows."""
        frame = self.table.frame
        return frame.iloc[frame.index.get_indexer(rows), self.columns.title]

    def result(self, problems: Mapping[str, str], labels: Mapping[int, str]) -> pd.DataFrame:
        """Return every row of the file with its answer, what is wrong with it, and the type that its user chose.

        `problems`: the sentence about each kind of problem.
        """
        rows = self.rows()
        found = self.answered().reindex(rows.index)
        said = pd.Series({row: problems[kind] for row, kind in self.check().problems.items()}, dtype=object)
        found.loc[said.index, answers.PROBLEM] = said
        chosen = pd.Series(self.stored, dtype="Int64").reindex(rows.index)
        found[CORRECT_TYPE] = chosen.map(labels).astype(object)
        found[CORRECT_CODE] = chosen
        taken = set(rows.columns)
        return pd.concat([rows, found.rename(columns=lambda name: _free(name, taken))], axis="columns")


def page_of(frame: pd.DataFrame, page: int) -> pd.DataFrame:
    """Return a page of a table, from 1."""
    return frame.iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]


def page_count(frame: pd.DataFrame) -> int:
    """Return how many pages a table has, at least one."""
    return max(1, -(-len(frame) // PAGE_ROWS))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_2"
    return name
