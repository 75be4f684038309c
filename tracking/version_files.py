"""What the tracker keeps about a version as files: its evaluation, its model card, and the decision about it."""

from collections.abc import Callable
from typing import TypeVar

import mlflow
from mlflow.exceptions import MlflowException

from catalog.comparison import Decision
from catalog.evaluation import Evaluation
from tracking.lineage import deciding_run, find_run
from tracking.registry import RegisteredVersion

_Content = TypeVar("_Content")


def read_evaluation(version: RegisteredVersion) -> Evaluation | None:
    """Return the evaluation of a version; None if the tracker does not have it, or has it in another form."""
    path = f"runs:/{version.evaluation_run}/evaluation/evaluation.json"
    return _read(lambda: Evaluation.model_validate(mlflow.artifacts.load_dict(path)))


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
