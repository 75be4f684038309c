"""The record of a training: all that is needed to make its version again, and where it is."""

import platform
from typing import Annotated, Any, Self

import mlflow
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict, Field

from catalog.reproduction import Recipe
from catalog.source import ListingSource
from tracking.registry import ABSENT, RegisteredVersion
from tracking.revision import git_revision, locked_requirements, model_code, split_revision

RECORD_FILE = "training_record.json"
_PYTHON = r"^[0-9]+\.[0-9]+\.[0-9A-Za-z+]+$"  # a version, and never the path of a program: it is installed by this name


class RecordError(ValueError):
    """The record of a training is damaged."""


class StoredTable(BaseModel):
    """A table in the artifact store: the id of its artifact in ZenML, and the address of its parquet file."""

    model_config = ConfigDict(frozen=True)

    id: str
    uri: str


class RecordedChampion(BaseModel):
    """The version in production when a training was compared: its number, and the run that trained it."""

    model_config = ConfigDict(frozen=True)

    number: str
    run_id: str


class TrainingRecord(BaseModel):
    """What a training was made from.

    `commit` is None if it was not known; `clean` says whether the working tree was as committed, `code` is the digest
    of the code that makes a model (`tracking.revision.model_code`). `listings` is the consolidated table with its
    splits, `feedback` the table of feedback that went into it, with so many rows. `recipe` is as the code of that
    commit wrote it, and only that code reads it (`catalog.reproduction.Recipe`).
    """

    model_config = ConfigDict(frozen=True)

    commit: str | None
    clean: bool | None
    code: str
    lock_file: str
    lock_hash: str
    python: Annotated[str, Field(pattern=_PYTHON)]
    data_hash: str
    source: ListingSource
    listings: StoredTable
    feedback: StoredTable
    feedback_rows: int
    champion: RecordedChampion | None
    recipe: dict[str, Any]

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        champion: RegisteredVersion | None,
        data_hash: str,
        listings: StoredTable,
        feedback: StoredTable,
        feedback_rows: int,
    ) -> Self:
        """Return the record of a training by the code and the libraries that are running."""
        commit, clean = split_revision(git_revision())
        known = commit != "unknown"
        lock_file, lock_hash = locked_requirements()
        return cls(
            commit=commit if known else None,
            clean=clean if known else None,
            code=model_code(),
            lock_file=lock_file,
            lock_hash=lock_hash,
            python=platform.python_version(),
            data_hash=data_hash,
            source=recipe.source,
            listings=listings,
            feedback=feedback,
            feedback_rows=feedback_rows,
            champion=RecordedChampion(number=champion.number, run_id=champion.run_id) if champion else None,
            recipe=recipe.model_dump(mode="json"),
        )


def read_record(run_id: str) -> TrainingRecord | None:
    """Return the record in a run of the tracker; None if it has none: an earlier release made it.

    Raises `RecordError` if it is damaged, and `MlflowException` when the tracker does not answer.
    """
    try:
        names = {file.path for file in mlflow.MlflowClient().list_artifacts(run_id)}
        if RECORD_FILE not in names:
            return None
        return TrainingRecord.model_validate_json(mlflow.artifacts.load_text(f"runs:/{run_id}/{RECORD_FILE}"))
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise
    except (OSError, ValueError) as error:
        raise RecordError(f"{RECORD_FILE} in the run {run_id} cannot be read ({type(error).__name__})") from error
