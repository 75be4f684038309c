"""What an evaluation adds to the tracker's run of the training."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import mlflow
import pandas as pd

from catalog.evaluation import Evaluation

REFERENCE_FILE = "reference_window.parquet"
_METRICS = ("weighted_f1", "macro_f1", "accuracy", "expected_calibration_error", "coverage", "selective_precision")


def log_evaluation(
    run_id: str, evaluation: Evaluation, page: str, card: str, pictures: Mapping[str, bytes], window: pd.DataFrame
) -> None:
    """Add an evaluation to the run that trained the model, which is an earlier one if the training was cached.

    `page` is HTML, `card` the model card in Markdown, `pictures` are PNG by name, `window` the reference window.
    """
    client = mlflow.MlflowClient()
    for name in _METRICS:
        if (value := getattr(evaluation, name)) is not None:
            client.log_metric(run_id, f"test.{name}", value)
    client.log_dict(run_id, evaluation.model_dump(mode="json"), "evaluation/evaluation.json")
    client.log_text(run_id, page, "evaluation/evaluation.html")
    client.log_text(run_id, card, "model_card.md")
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in pictures.items():
            path = Path(folder) / f"{name}.png"
            path.write_bytes(picture)
            client.log_artifact(run_id, str(path), "evaluation")
        path = Path(folder) / REFERENCE_FILE
        window.to_parquet(path, compression="zstd", index=False)
        client.log_artifact(run_id, str(path))
