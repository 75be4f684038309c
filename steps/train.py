"""Fit the candidates, keep the one that validation prefers, calibrate it and log it to the tracker."""

import logging
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from zenml import ArtifactConfig, log_metadata, step

from catalog.blocks import Block
from catalog.classifier import Codes, ProductTypeClassifier
from steps.caching import SOURCE_ROOT, TRAINING, depends_on, digest_of

logger = logging.getLogger(__name__)


class Candidate(BaseModel):
    """One way to build the classifier; see `ProductTypeClassifier` and `Block` for what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: list[Block] = Field(min_length=1)
    solver: Literal["svm", "logistic"] = "svm"
    C: float = Field(0.2, gt=0)
    alpha: float = Field(1e-6, gt=0)
    class_weight: Literal["balanced"] | None = None


@dataclass(frozen=True)
class Trained:
    """The chosen candidate, calibrated, and what each candidate reached on validation (weighted F1, seconds)."""

    classifier: ProductTypeClassifier
    chosen: str
    candidates: dict[str, dict[str, float]]


def fit_candidates(listings: pd.DataFrame, candidates: Mapping[str, Candidate], seed: int) -> Trained:
    """Fit every candidate on the train split and keep the best on validation (the first of equals)."""
    from sklearn.metrics import f1_score

    train, validation = (listings[listings["split"] == split] for split in ("train", "validation"))
    results: dict[str, dict[str, float]] = {}
    best: ProductTypeClassifier | None = None
    chosen = ""
    for name, candidate in candidates.items():
        started = time.monotonic()
        classifier = ProductTypeClassifier(**{**dict(candidate), "seed": seed})
        classifier.fit(*_columns(train))
        predicted = classifier.predict(validation)
        score = float(f1_score(validation["prdtypecode"], predicted, average="weighted", zero_division=0))
        results[name] = {"validation_weighted_f1": score, "seconds": time.monotonic() - started}
        logger.info("Candidate %s: weighted F1 %.4f on validation, %.1f s", name, score, results[name]["seconds"])
        if best is None or score > results[chosen]["validation_weighted_f1"]:
            best, chosen = classifier, name
    if best is None:
        raise ValueError("no candidate is configured")
    return Trained(best.calibrate(*_columns(validation)), chosen, results)


def training_fingerprint(data_hash: str, candidates: Mapping[str, Candidate], seed: int) -> str:
    """Return a digest that two trainings share when data, parameters, code and the learning library are the same."""
    import hashlib

    parts = [data_hash, str(seed), version("scikit-learn"), digest_of(TRAINING)]
    parts += [f"{name}={candidate.model_dump_json()}" for name, candidate in candidates.items()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@step(experiment_tracker=True, cache_policy=depends_on(TRAINING))
def train_classifier(
    listings: pd.DataFrame, data_profile: dict[str, Any], candidates: dict[str, Candidate], seed: int
) -> Annotated[dict[str, Any], ArtifactConfig(name="trained_classifier", tags=["model"])]:
    """Train, choose, calibrate and log the classifier; the record says where it is."""
    trained = fit_candidates(listings, candidates, seed)
    chosen = candidates[trained.chosen]
    fingerprint = training_fingerprint(data_profile["data_hash"], candidates, seed)
    record = {
        "chosen": trained.chosen,
        "candidates": trained.candidates,
        "parameters": chosen.model_dump(mode="json"),
        "seed": seed,
        "temperature": trained.classifier.temperature_,
        "terms": trained.classifier.coef_.shape[0],
        "data_hash": data_profile["data_hash"],
        "fingerprint": fingerprint,
        "git_revision": git_revision(),
        **_log_to_tracker(trained, listings, data_profile, chosen, fingerprint),
    }
    log_metadata(
        metadata={"chosen": trained.chosen, **trained.candidates[trained.chosen], "run_id": record["run_id"]},
        artifact_name="trained_classifier",
        infer_artifact=True,
    )
    return record


def git_revision() -> str:
    """Return the commit of the source, marked `+changes` when the tree differs from it, or `unknown`."""
    import os

    if told := os.environ.get("GIT_REVISION"):  # images are built without the repository
        return told
    describe = ["git", "-C", str(SOURCE_ROOT), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+changes"]
    try:
        done = subprocess.run(describe, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def _log_to_tracker(
    trained: Trained, listings: pd.DataFrame, profile: Mapping[str, Any], chosen: Candidate, fingerprint: str
) -> dict[str, str]:
    import mlflow
    from mlflow.models import infer_signature

    from catalog.classifier import TRUSTED_TYPES
    from steps.registry import PROFILE_FILE

    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("the step has no tracker run: the active stack lacks an experiment tracker")
    parameters = chosen.model_dump(mode="json")
    mlflow.log_params({key: value for key, value in parameters.items() if key != "blocks"})
    for number, block in enumerate(parameters["blocks"]):
        mlflow.log_params({f"block_{number}.{key}": value for key, value in block.items()})
    mlflow.log_params({"candidate": trained.chosen, "rows_train": profile["splits"]["train"]})
    for name, result in trained.candidates.items():
        mlflow.log_metrics({f"candidates.{name}.{key}": value for key, value in result.items()})
    mlflow.log_metric("temperature", trained.classifier.temperature_)
    mlflow.set_tags(
        {"data_hash": profile["data_hash"], "fingerprint": fingerprint, "mlflow.source.git.commit": git_revision()}
    )
    mlflow.log_dict(dict(profile), PROFILE_FILE)
    example = listings.loc[listings["split"] == "train", ["designation", "description"]].head(3)
    example = example.assign(description=example["description"].fillna("")).astype(object)
    packages = ("numpy", "scipy", "scikit-learn", "skops", "pandas")
    info = mlflow.sklearn.log_model(
        trained.classifier,
        name="classifier",
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
        signature=infer_signature(example, trained.classifier.predict(example)),
        input_example=example,
        pip_requirements=[f"{package}=={version(package)}" for package in packages],
        # The code that reads its text goes beside the model, so that it can still be asked once the code has moved on.
        code_paths=[str(SOURCE_ROOT / "catalog")],
    )
    return {"run_id": run.info.run_id, "model_uri": info.model_uri}


def _columns(listings: pd.DataFrame) -> tuple[list[str], list[str | None], Codes]:
    return listings["designation"].tolist(), listings["description"].tolist(), listings["prdtypecode"].to_numpy()
