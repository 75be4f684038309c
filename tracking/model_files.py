"""What the tracker keeps of a version: the trained model, the profile of its data, its reference window."""

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from catalog.profile import Profile
from tracking.champion_files import MODEL_FILE
from tracking.evaluation_run import REFERENCE_FILE
from tracking.registry import RegisteredVersion
from tracking.training_run import PROFILE_FILE

if TYPE_CHECKING:
    from catalog.classifier import ProductTypeClassifier

logger = logging.getLogger(__name__)


class ModelError(RuntimeError):
    """A trained model is missing, or is not what was logged."""


class ReferenceWindowError(RuntimeError):
    """The reference window of a version is missing or cannot be read."""


def read_profile(version: RegisteredVersion) -> Profile | None:
    """Return the profile of the data that a version was trained on, or None, with a warning, if it cannot be read."""
    try:
        return Profile.model_validate(mlflow.artifacts.load_dict(f"runs:/{version.run_id}/{PROFILE_FILE}"))
    except (MlflowException, OSError, ValueError) as error:
        logger.warning("The data profile of version %s cannot be read: %s", version.number, error)
        return None


def read_reference(run_id: str) -> pd.DataFrame:
    """Return the reference window that a run's evaluation logged: held-out listings with the model's answers.

    The version names the run (`RegisteredVersion.evaluation_run`). So it is the right one after a rollback, and also if
    the evaluation was cached. Raises `ReferenceWindowError`.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=REFERENCE_FILE, dst_path=folder)
            return pd.read_parquet(path)
        except (MlflowException, OSError, ValueError) as error:
            raise ReferenceWindowError(
                f"the reference window of the version in production (run {run_id}) cannot be read "
                f"({type(error).__name__}); train again with --no-cache --new-baseline"
            ) from error


def load_classifier(model_uri: str) -> "ProductTypeClassifier":
    """Load a trained classifier; only the types on our own list are accepted, whatever the file names.

    Raises `ModelError` if it is missing or damaged.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException as SkopsException

    from catalog.classifier import TRUSTED_TYPES

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=folder))
            classifier: ProductTypeClassifier = skops.io.load(path / MODEL_FILE, trusted=TRUSTED_TYPES)
        except (MlflowException, SkopsException, OSError, BadZipFile, KeyError, TypeError) as error:
            raise ModelError(
                f"the trained model {model_uri} cannot be loaded ({type(error).__name__}: {error}); "
                "run again with --no-cache to train it again"
            ) from error
    return classifier
