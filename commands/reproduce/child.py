"""The recorded code at work: `catalog.reproduction` of the version's own commit, in an isolated process."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from commands.reproduce.gone import GoneError
from stacks.artifacts import ArtifactLostError, fetch_file
from stacks.uploads import fetched
from terminal.errors import CommandError, in_a_line
from tracking.isolation import last_line, run_isolated
from tracking.training_record import TrainingRecord

_LIMIT = 6 * 3_600  # seconds for a training
_RUN = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('catalog.reproduction', None, '__main__', True)"
)


class TrainingError(CommandError):
    """The recorded code failed."""


@dataclass(frozen=True)
class Child:
    """Runs the code below `root`, the source root of the commit, with an interpreter. `folder` has its files."""

    record: TrainingRecord
    root: Path
    python: str
    folder: Path

    def fetch_rows(self) -> str:
        """Put the recorded rows into the folder, and return in a few words where they are from.

        They are read from the artifact, or made again from the source if that is gone. Raises `GoneError` if neither
        has the recorded rows.
        """
        record, place = self.record, self.folder
        (place / "recipe.json").write_text(json.dumps(record.recipe), encoding="utf-8")
        found = f"artifact {record.listings.id[:8]}"
        try:
            fetch_file(record.listings.id, record.listings.uri, place / "listings.parquet")
            self._run("rows")
        except ArtifactLostError as lost:
            found = self._rows_from_the_source(lost)
        rows = json.loads((place / "rows.json").read_bytes())
        if rows["data_hash"] != record.data_hash:
            raise GoneError(
                f"The data has changed ({found}): its {rows['rows']:,} rows have the hash {rows['data_hash'][:12]}, "
                f"and {record.data_hash[:12]} is recorded."
            )
        return f"{found}: {rows['rows']:,} rows, the same hash"

    def _rows_from_the_source(self, lost: ArtifactLostError) -> str:
        record, address = self.record, self.record.source.directory
        try:
            fetch_file(record.feedback.id, record.feedback.uri, self.folder / "feedback.parquet")
        except ArtifactLostError as error:
            raise GoneError(
                f"The data is gone: {lost}. It cannot be made again from its source, because the table of feedback "
                f"({record.feedback_rows:,} rows) is gone too: {error}. Erasures and the retention remove tables."
            ) from error
        if address is None:
            self._run("rows")
            return f"made again, since its artifact is gone: {record.source.describe()}"
        try:
            with fetched(address) as folder:
                self._run("rows", str(folder.resolve()))
        except (OSError, TrainingError) as error:
            raise GoneError(
                f"The data is gone: {lost}. Its files cannot be read again from {address}: {_sentence(error)}."
            ) from error
        return f"read again from {address}, since its artifact is gone"

    def test_rows(self) -> pd.DataFrame:
        """Return the test rows of the listings."""
        listings = pd.read_parquet(self.folder / "listings.parquet")
        return listings[listings["split"] == "test"]

    def train(self, champion: pd.DataFrame | None) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Train, and return the answers on the test rows, and the result (`catalog.reproduction.Result`) as JSON.

        `champion`: the champion's answers on the test rows. Raises `TrainingError`.
        """
        if champion is not None:
            champion.to_parquet(self.folder / "champion.parquet", index=False)
        self._run("train")
        answers = pd.read_parquet(self.folder / "answers.parquet")
        result: dict[str, Any] = json.loads((self.folder / "result.json").read_bytes())
        return answers[answers["split"] == "test"], result

    def _run(self, action: str, *more: str) -> None:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        arguments = [str(self.root), action, str(self.folder), *more]
        try:
            done = run_isolated(_RUN, arguments, home, limit=_LIMIT, python=self.python)
        except subprocess.TimeoutExpired as error:
            raise TrainingError(f"the recorded code did not end within {_LIMIT // 3_600} hours") from error
        if done.returncode != 0:
            raise TrainingError(f"the recorded code failed: {last_line(done)}")


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, CommandError) else in_a_line(error)
