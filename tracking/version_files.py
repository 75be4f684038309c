"""What the tracker keeps about a version as files: its evaluation, its model card, and the decision about it."""

from collections.abc import Callable
from typing import TypeVar

import mlflow
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict

from catalog.comparison import Decision
from tracking.lineage import deciding_run, find_run
from tracking.registry import RegisteredVersion

_Content = TypeVar("_Content")


class RecordedTypeScores(BaseModel):
    """The scores of one type, and how many test rows it has."""

    model_config = ConfigDict(frozen=True)

    code: int
    label: str
    rows: int
    precision: float
    recall: float
    f1: float


class RecordedEvaluation(BaseModel):
    """What is read of the evaluation of a version: what every release has stored. Intervals are of 95 %.

    It is not `Evaluation`, which grows: the file of an older version would lack what is new.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    weighted_f1: float
    weighted_f1_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    accuracy: float
    per_type: tuple[RecordedTypeScores, ...]


def read_evaluation(version: RegisteredVersion) -> RecordedEvaluation | None:
    """Return the evaluation of a version; None if the tracker does not have it, or has it in another form."""
    path = f"runs:/{version.evaluation_run}/evaluation/evaluation.json"
    return _read(lambda: RecordedEvaluation.model_validate(mlflow.artifacts.load_dict(path)))


def read_card(version: RegisteredVersion) -> str | None:
    """Return the model card of a version as Markdown; None if the tracker does not have it."""
    return _read(lambda: mlflow.artifacts.load_text(f"runs:/{version.evaluation_run}/model_card.md"))


def read_decision(version: RegisteredVersion) -> Decision | None:
    """Return the decision about a version; None if the tracker does not have it, or has it in another form."""
    run = deciding_run(version, find_run(version.evaluation_run))
    if run is None:
        return None
    path = f"runs:/{run.info.run_id}/decision.json"
    return _read(lambda: Decision.model_validate(mlflow.artifacts.load_dict(path)))


def _read(read: Callable[[], _Content]) -> _Content | None:
    try:
        return read()
    except (MlflowException, OSError, ValueError):  # ValueError: no JSON, or not of this form
        return None
