"""The tracker's run of a training: the model, its parameters, and the record that later steps work with."""

import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
from pydantic import BaseModel, ConfigDict

from catalog.candidates import Candidate, CandidateResult, ChosenCandidate
from catalog.classifier import TRUSTED_TYPES
from catalog.profile import Profile
from catalog.sentence_vectors import PACKAGE
from catalog.source import SourceKind
from tracking.champion_files import files_digest
from tracking.revision import git_revision, locked_requirements

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo

PROFILE_FILE = "data_profile.json"
_SOURCE_ROOT = Path(__file__).resolve().parents[1]
_MODEL_PACKAGES = ("numpy", "scipy", "scikit-learn", "skops", "pandas")


class Trained(BaseModel):
    """A trained classifier: where the tracker has it (`run_id`, `model_uri`), how it was chosen, from which data.

    `source` is the kind of listings that it has seen, `terms` the size of the vocabulary, `files` the digest of its
    model and code as the tracker got them, `encoder` the package and version of its sentence vectors, if it has any.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    run_id: str
    model_uri: str
    chosen: str
    candidates: dict[str, CandidateResult]
    parameters: Candidate
    seed: int
    temperature: float
    terms: int
    data_hash: str
    git_revision: str
    source: SourceKind
    files: str
    encoder: str = ""


def log_training(
    chosen: ChosenCandidate,
    listings: pd.DataFrame,
    profile: Profile,
    seed: int,
    source: SourceKind,
) -> Trained:
    """Log a training to the active run of the tracker and return its record.

    Raises `RuntimeError` when no run is active: the stack has no experiment tracker.
    """
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("the step has no tracker run: the active stack lacks an experiment tracker")
    revision = git_revision()
    _log_parameters(chosen.parameters)
    mlflow.log_params({"candidate": chosen.name, "rows_train": profile.splits["train"], "seed": seed})
    for name, result in chosen.results.items():
        mlflow.log_metrics({f"candidates.{name}.{key}": value for key, value in result})
    mlflow.log_metric("temperature", chosen.classifier.temperature_)
    lock_file, lock_hash = locked_requirements()
    tags = {"data_hash": profile.data_hash, "source": source, "lock_file": lock_file, "lock_hash": lock_hash}
    mlflow.set_tags({**tags, "mlflow.source.git.commit": revision})
    mlflow.log_dict(profile.model_dump(mode="json"), PROFILE_FILE)
    model_uri = _log_model(chosen, listings).model_uri
    return Trained(
        run_id=run.info.run_id,
        model_uri=model_uri,
        chosen=chosen.name,
        candidates=chosen.results,
        parameters=chosen.parameters,
        seed=seed,
        temperature=chosen.classifier.temperature_,
        terms=chosen.classifier.coef_.shape[0],
        data_hash=profile.data_hash,
        git_revision=revision,
        source=source,
        files=_digest_of_files(model_uri),
        encoder=chosen.classifier.encoder_,
    )


def _digest_of_files(model_uri: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return files_digest(Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=folder)))


def _log_parameters(parameters: Candidate) -> None:
    values = parameters.model_dump(mode="json")
    blocks = values.pop("blocks")
    mlflow.log_params(values)
    for number, block in enumerate(blocks):
        mlflow.log_params({f"block_{number}.{key}": value for key, value in block.items()})


def _packages(chosen: ChosenCandidate) -> Iterator[str]:
    yield from _MODEL_PACKAGES
    if chosen.classifier.encoder_:
        yield PACKAGE


def _log_model(chosen: ChosenCandidate, listings: pd.DataFrame) -> "ModelInfo":
    from mlflow.models import infer_signature

    # Of the files alone: what comes from feedback may be erased, and an example cannot be.
    own = (listings["split"] == "train") & (listings["origin"] == "listing")
    example = listings.loc[own, ["designation", "description"]].head(3)
    example = example.assign(description=example["description"].fillna("")).astype(object)
    return mlflow.sklearn.log_model(
        chosen.classifier,
        name="classifier",
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
        signature=infer_signature(example, chosen.classifier.predict(example)),
        input_example=example,
        pip_requirements=[f"{package}=={version(package)}" for package in _packages(chosen)],
        # The code that reads its text is kept beside the model, so that an old model can still be asked after edits.
        code_paths=[str(_SOURCE_ROOT / "catalog")],
    )
