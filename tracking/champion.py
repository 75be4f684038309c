"""The champion's predictions, by its own code."""

import subprocess
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from tracking.champion_files import CODE_FOLDER, MODEL_FILE, files_digest
from tracking.isolation import PYTHON, last_line, run_isolated
from tracking.registry import RegisteredVersion

_SCORING_LIMIT = 1_800  # seconds for a champion's own code to score the test rows
_RUN_CLASSIFIER = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('catalog.classifier', None, '__main__', True)"
)


class ChampionError(RuntimeError):
    """The version in production cannot be read, is not trusted, or does not answer."""


def predict_with_own_code(
    version: RegisteredVersion, listings: pd.DataFrame, python: str = PYTHON
) -> NDArray[np.int64]:
    """Return a version's predictions, made by the code that it was trained with, which is kept beside it.

    The code of this checkout may read text differently by now; an old model would then give answers that it never gave
    in production. It runs only if model and code are the files that were recorded outside the tracker when the version
    was registered, and without the secrets of this process. `listings` has designation and description; the result has
    one code a row. `python` is the interpreter that has its libraries. Raises `ChampionError` when the version cannot
    be fetched, trusted, loaded or run.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=version.source, dst_path=folder))
            found = files_digest(path)
        except (MlflowException, OSError) as error:
            raise ChampionError(f"version {version.number} cannot be fetched from the registry: {error}") from error
        if version.files is None:
            raise ChampionError(f"version {version.number} has no record of its files in ZenML, so its code is not run")
        if version.files != found:
            raise ChampionError(
                f"version {version.number} could not be read: its model or code is not what was registered, "
                "so its code is not run"
            )
        return _answers(version.number, path, listings, Path(folder), python)


def _answers(number: str, model: Path, listings: pd.DataFrame, folder: Path, python: str) -> NDArray[np.int64]:
    rows, answers, home = folder / "rows.parquet", folder / "answers.npy", folder / "home"
    home.mkdir()
    listings[["designation", "description"]].to_parquet(rows, index=False)
    try:
        files = [str(path) for path in (model / CODE_FOLDER, model / MODEL_FILE, rows, answers)]
        done = run_isolated(_RUN_CLASSIFIER, files, home, limit=_SCORING_LIMIT, python=python)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ChampionError(f"version {number} could not be run: {error}") from error
    if done.returncode != 0:
        raise ChampionError(f"version {number} could not be read: {last_line(done)}")
    predicted: NDArray[np.int64] = np.load(answers, allow_pickle=False)
    return predicted
