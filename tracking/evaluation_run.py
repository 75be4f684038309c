"""The tracker's run of an evaluation: that of the training, or of a later pipeline run with other settings."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import mlflow
import pandas as pd
from pydantic import BaseModel, ConfigDict

from catalog.evaluation import Evaluation

REFERENCE_FILE = "reference_window.parquet"
_OF_TRIAL = ("auc", "known_flagged", "unknown_flagged")
_METRICS = (
    "weighted_f1", "weighted_f1_with_near_duplicates", "macro_f1", "accuracy", "expected_calibration_error", "coverage",
    "selective_precision", "novel",
)  # fmt: skip


class EvaluationRun(BaseModel):
    """Where the tracker has an evaluation."""

    model_config = ConfigDict(frozen=True)

    run_id: str


def log_evaluation(
    evaluation: Evaluation, page: str, card: str, pictures: Mapping[str, str], window: pd.DataFrame
) -> EvaluationRun:
    """Log an evaluation to the active run of the tracker and return where it is.

    If the training was cached, this is not the run that trained the model: what an earlier version was evaluated by is
    never written over. `page` is HTML, `card` the model card in Markdown, `pictures` are SVG by name, `window` the
    reference window. Raises `RuntimeError` when no run is active.
    """
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("the step has no tracker run: the active stack lacks an experiment tracker")
    client, run_id = mlflow.MlflowClient(), run.info.run_id
    for name in _METRICS:
        if (value := getattr(evaluation, name)) is not None:
            client.log_metric(run_id, f"test.{name}", value)
    if trial := evaluation.novelty_trial:
        for name in _OF_TRIAL:
            client.log_metric(run_id, f"novelty.{name}", getattr(trial, name))
    client.log_dict(run_id, evaluation.model_dump(mode="json"), "evaluation/evaluation.json")
    client.log_text(run_id, page, "evaluation/evaluation.html")
    for name, picture in pictures.items():
        client.log_text(run_id, picture, f"evaluation/{name}.svg")
    client.log_text(run_id, card, "model_card.md")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / REFERENCE_FILE
        window.to_parquet(path, compression="zstd", index=False)
        client.log_artifact(run_id, str(path))
    return EvaluationRun(run_id=run_id)
