"""The champion's predictions, by its own code."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from tracking.model_files import MODEL_FILE
from tracking.registry import RegisteredVersion

_SCORING_LIMIT = 1_800  # seconds for a champion's own code to score the test rows


class ChampionError(RuntimeError):
    """The version in production cannot be read or does not answer."""


def predict_with_own_code(version: RegisteredVersion, listings: pd.DataFrame) -> NDArray[np.int64]:
    """Return a version's predictions, made by the code that it was trained with, which is kept beside it.

    The code of this checkout may read text differently by now; an old model would then give answers that it never gave
    in production. `listings` has designation and description; the result has one code a row. Raises `ChampionError`
    when the version cannot be fetched, loaded or run.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=version.source, dst_path=folder))
        except (MlflowException, OSError) as error:
            raise ChampionError(f"version {version.number} cannot be fetched from the registry: {error}") from error
        rows, answers = Path(folder) / "rows.parquet", Path(folder) / "answers.npy"
        listings[["designation", "description"]].to_parquet(rows, index=False)
        command = [sys.executable, "-m", "catalog.classifier", str(path / MODEL_FILE), str(rows), str(answers)]
        try:
            done = subprocess.run(
                command,
                cwd=path / "code",
                env={**os.environ, "PYTHONPATH": str(path / "code")},
                capture_output=True,
                text=True,
                timeout=_SCORING_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ChampionError(f"version {version.number} could not be run: {error}") from error
        if done.returncode != 0:
            last_line = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ChampionError(f"version {version.number} could not be read: {last_line}")
        predicted: NDArray[np.int64] = np.load(answers, allow_pickle=False)
        return predicted
