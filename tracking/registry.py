"""The model registry: versions, aliases, and the log of what was promoted and why.

Everything goes through whatever MLflow tracking address is in force, so the same code runs on every stack. Aliases:
`production` is served, `previous` is what a rollback would return to, `challenger` is the newest version.
"""

import contextlib
import io
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import mlflow
import numpy as np
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from catalog.classifier import ProductTypeClassifier

PRODUCTION, PREVIOUS, CHALLENGER = "production", "previous", "challenger"
MODEL_FILE = "model.skops"
PROFILE_FILE = "data_profile.json"
REFERENCE_FILE = "reference_window.parquet"
_SCORING_LIMIT = 1_800  # seconds for a champion's own code to score the test rows
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}


logger = logging.getLogger(__name__)


class ChampionError(RuntimeError):
    """The version in production cannot be read or does not answer."""


class ModelError(RuntimeError):
    """A trained model is not where it was logged, or not what was logged."""


class ReferenceWindowError(RuntimeError):
    """The reference window of a version is gone or cannot be read."""


class RollbackError(RuntimeError):
    """There is no version to return to."""


@dataclass(frozen=True)
class Version:
    """A registered version: its number, the run that trained it, where its files are, and its tags."""

    number: str
    run_id: str
    source: str
    tags: Mapping[str, str]


def by_alias(name: str, alias: str) -> Version | None:
    """Return the version that an alias points to, or None where there is no such model or alias."""
    try:
        return _version(mlflow.MlflowClient().get_model_version_by_alias(name, alias))
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise


def by_tag(name: str, key: str, value: str) -> Version | None:
    """Return the newest version of a model with this tag, or None."""
    versions = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
    found = [version for version in versions if version.tags.get(key) == value]
    return _version(max(found, key=lambda version: int(version.version))) if found else None


def register(name: str, run_id: str, model_uri: str, taxonomy: str) -> Version:
    """Make a trained model a version with the alias `challenger`.

    A model that is a version already, with the same taxonomy (its digest), keeps its number: a run that died after this
    is taken up where it was.
    """
    client = mlflow.MlflowClient()
    tags = {"run_id": run_id, "taxonomy": taxonomy, "identity": f"{run_id} {taxonomy}"}
    version = by_tag(name, "identity", tags["identity"])
    with contextlib.redirect_stderr(io.StringIO()):  # MLflow tells a person there what it did, log level or not
        number = (
            version.number if version else mlflow.register_model(model_uri, name, await_registration_for=60).version
        )
    tag(name, number, tags)
    client.set_registered_model_alias(name, CHALLENGER, number)
    return _version(client.get_model_version(name, number))


def tag(name: str, number: str, tags: Mapping[str, str]) -> None:
    """Set tags on a version."""
    for key, value in tags.items():
        mlflow.MlflowClient().set_model_version_tag(name, number, key, value)


def read_profile(version: Version) -> dict[str, Any]:
    """Return the profile of the data that a version was trained on; empty where its run is gone."""
    try:
        profile: dict[str, Any] = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/{PROFILE_FILE}")
    except (MlflowException, OSError) as error:
        logger.warning("The data profile of version %s cannot be read: %s", version.number, error)
        return {}
    return profile


def read_reference(run_id: str) -> "pd.DataFrame":
    """Return the reference window that a run's evaluation left: held-out listings with the model's answers.

    By the version's run, so that it is the right one after a rollback, and where the evaluation was an earlier run's.
    Raises `ReferenceWindowError`.
    """
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=REFERENCE_FILE, dst_path=folder)
            return pd.read_parquet(path)
        except (MlflowException, OSError, ValueError) as error:
            raise ReferenceWindowError(
                f"the reference window of the version in production (run {run_id}) cannot be read "
                f"({type(error).__name__}); train again with --no-cache"
            ) from error


def load_classifier(model_uri: str) -> "ProductTypeClassifier":
    """Load a trained classifier; only the types on our own list are accepted, whatever the file names.

    Raises `ModelError` when it is gone or damaged.
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
                "run again with --no-cache to train it anew"
            ) from error
    return classifier


def predict_with_own_code(version: Version, listings: "pd.DataFrame") -> NDArray[np.int64]:
    """Return a version's answers, given by the code that it was trained with, kept beside it in the registry.

    The code of this checkout may read text otherwise by now, and an old model's answers by new code would be nobody's.
    Raises `ChampionError` when the version cannot be fetched, loaded or asked.
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
            raise ChampionError(f"version {version.number} could not be asked: {error}") from error
        if done.returncode != 0:
            last_line = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ChampionError(f"version {version.number} could not be read: {last_line}")
        predicted: NDArray[np.int64] = np.load(answers, allow_pickle=False)
        return predicted


def promote(name: str, number: str, reason: str) -> None:
    """Move `production` to a version and `previous` to the one it replaces, and write it into the log."""
    before = by_alias(name, PRODUCTION)
    if before is None or before.number != number:
        client = mlflow.MlflowClient()
        if before:
            client.set_registered_model_alias(name, PREVIOUS, before.number)
        client.set_registered_model_alias(name, PRODUCTION, number)
        _log(name, "promotion", before.number if before else None, number, reason)


def roll_back(name: str, reason: str) -> tuple[Version, Version]:
    """Move `production` to the version that was there before, and say so in the log; again goes one further back.

    Returns the version that was left and the one that is in production now. Raises `RollbackError` without either.
    """
    now = by_alias(name, PRODUCTION)
    if now is None:
        raise RollbackError(f"model '{name}' has no version in production: there is nothing to roll back")
    earlier = _line_of_succession(name, now.number)
    if not earlier:
        raise RollbackError(f"version {now.number} is the first of model '{name}' in production: nothing is before it")
    client = mlflow.MlflowClient()
    target = _version(client.get_model_version(name, earlier[-1]))
    if len(earlier) > 1:
        client.set_registered_model_alias(name, PREVIOUS, earlier[-2])
    else:
        client.delete_registered_model_alias(name, PREVIOUS)
    client.set_registered_model_alias(name, PRODUCTION, target.number)
    _log(name, "rollback", now.number, target.number, reason)
    return now, target


def promotion_log(name: str) -> list[Run]:
    """Return the promotions and rollbacks of a model, oldest first."""
    experiment = mlflow.get_experiment_by_name(_log_name(name))
    if experiment is None:
        return []
    client = mlflow.MlflowClient()
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id], order_by=["attributes.start_time ASC"], max_results=1_000, page_token=token
        )
        runs += page
        token = page.token
        if not token:
            return runs


def _line_of_succession(name: str, current: str) -> list[str]:
    """Return the versions before the current one, oldest first, with what was rolled back taken out again."""
    line: list[str] = []
    for run in promotion_log(name):
        if run.data.tags["event"] == "promotion":
            line.append(run.data.tags["to_version"])
        else:
            del line[line.index(run.data.tags["to_version"]) + 1 :]
    return line[: line.index(current)] if current in line else line


def _log(name: str, event: str, before: str | None, after: str, reason: str) -> None:
    """Write one entry: a run with tags and nothing else, so that no artifact store is needed for it."""
    experiment = mlflow.get_experiment_by_name(_log_name(name))
    experiment_id = experiment.experiment_id if experiment else mlflow.create_experiment(_log_name(name))
    client = mlflow.MlflowClient()
    tags = {"event": event, "from_version": before or "", "to_version": after, "reason": reason}
    run = client.create_run(experiment_id, tags=tags, run_name=f"{event} of version {after}")
    client.set_terminated(run.info.run_id)


def _log_name(name: str) -> str:
    return f"{name}-promotions"


def _version(version: ModelVersion) -> Version:
    return Version(str(version.version), version.run_id or "", version.source, dict(version.tags))
