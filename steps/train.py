"""Fit the candidates, keep the one that is best on validation, calibrate it and log it to the tracker."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.config.cache_policy import CachePolicy

from catalog.candidates import Candidate, fit_candidates
from catalog.profile import Profile
from catalog.source import SourceKind
from steps.caching import code_digest
from tracking.training_run import Trained


def code_version() -> str:
    """Return what the cached result depends on besides inputs and parameters."""
    return code_digest(__name__)


@step(experiment_tracker=True, cache_policy=CachePolicy(cache_func=code_version))
def train_classifier(
    listings: pd.DataFrame, data_profile: Profile, candidates: dict[str, Candidate], source: SourceKind, seed: int
) -> Annotated[Trained, ArtifactConfig(name="trained_classifier", tags=["model"])]:
    """Train, choose, calibrate and log the classifier; the record says where it is."""
    from tracking.training_run import log_training

    chosen = fit_candidates(listings, candidates, seed)
    trained = log_training(chosen, listings, data_profile, seed, source)
    log_metadata(
        metadata={"chosen": trained.chosen, **dict(trained.candidates[trained.chosen]), "run_id": trained.run_id},
        artifact_name="trained_classifier",
        infer_artifact=True,
    )
    return trained
