"""What was recorded of a version: what it was made from, its answers on the test rows, its scores, the decision."""

from dataclasses import dataclass
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from commands.reproduce.gone import GoneError
from tracking.lineage import Training, read_lineage
from tracking.model_files import ReferenceWindowError, read_reference
from tracking.registry import CHALLENGER, PREVIOUS, PRODUCTION, RegisteredVersion, by_alias
from tracking.training_record import TrainingRecord

_EVALUATION, _DECISION = "evaluation/evaluation.json", "decision.json"


@dataclass(frozen=True)
class Recorded:
    """A version as it was made. `answers` are the test rows of its reference window, with its codes and confidences.

    `evaluation` and `decision` are as they were logged. `training` is the run that trained it (None: it is gone).
    """

    name: str
    version: RegisteredVersion
    training: Training | None
    record: TrainingRecord
    answers: pd.DataFrame
    evaluation: dict[str, Any]
    decision: dict[str, Any]

    @property
    def was_compared(self) -> bool:
        """Whether it was compared with a champion, and not judged by the minimum scores or refused unseen."""
        return self.decision.get("on_test") is not None


def read_recorded(name: str, which: str) -> Recorded:
    """Return what the tracker has of a version: a number, or an alias.

    Raises `GoneError`, and `MlflowException` when the tracker does not answer.
    """
    number = _number(name, which)
    lineage = read_lineage(name, number)
    if lineage.version is None:
        raise GoneError(f"The registry has no version {number} of '{name}'.")
    if lineage.decided_by is None:
        raise GoneError(f"The tracker no longer has the run that decided about version {number} of '{name}'.")
    if lineage.record is None:
        damaged = [sentence for sentence in lineage.missing if "is damaged" in sentence]
        raise GoneError(
            damaged[0]
            if damaged
            else f"Version {number} of '{name}' has no record of what it was made from: a release without 'reproduce' "
            "trained it. Versions that are trained from now on have one."
        )
    try:
        window = read_reference(lineage.version.evaluation_run)
    except ReferenceWindowError as error:
        raise GoneError(f"The recorded answers of version {number} are gone: {error}.") from error
    return Recorded(
        name=name,
        version=lineage.version,
        training=lineage.training,
        record=lineage.record,
        answers=window[window["split"] == "test"],
        evaluation=_logged(lineage.version.evaluation_run, _EVALUATION, "scores", number),
        decision=_logged(lineage.decided_by, _DECISION, "decision", number),
    )


def _number(name: str, which: str) -> str:
    if which not in (PRODUCTION, PREVIOUS, CHALLENGER):
        return which
    if version := by_alias(name, which):
        return version.number
    raise GoneError(f"The registry has no version of '{name}' with the alias '{which}'.")


def _logged(run_id: str, path: str, what: str, number: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{path}")
    except (MlflowException, OSError, ValueError) as error:
        raise GoneError(
            f"The recorded {what} of version {number} cannot be read: {path} in run {run_id} ({type(error).__name__})."
        ) from error
    return content
