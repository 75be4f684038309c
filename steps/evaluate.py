"""Measure the trained classifier on the test split: figures, pages, a model card and the reference window."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.config.cache_policy import CachePolicy
from zenml.types import HTMLString, MarkdownString

from catalog.evaluation import Evaluation
from catalog.profile import Profile
from catalog.source import ListingSource
from catalog.taxonomy import Taxonomy
from steps.caching import code_digest
from steps.materializers import TableMaterializer
from tracking.evaluation_run import EvaluationRun
from tracking.training_run import Trained


def code_version() -> str:
    """Return what the cached result depends on besides inputs and parameters."""
    return code_digest(__name__)


@step(
    experiment_tracker=True,
    output_materializers={"reference_window": TableMaterializer},
    cache_policy=CachePolicy(cache_func=code_version),
)
def evaluate_classifier(
    listings: pd.DataFrame,
    data_profile: Profile,
    trained_classifier: Trained,
    source: ListingSource,
    taxonomy: Taxonomy,
    target_precision: float,
    abstain_on_novelty: Literal["auto", "off"],
    seed: int,
) -> tuple[
    Annotated[Evaluation, ArtifactConfig(name="evaluation", tags=["evaluation"])],
    Annotated[HTMLString, ArtifactConfig(name="evaluation_page", tags=["evaluation", "page"])],
    Annotated[MarkdownString, ArtifactConfig(name="model_card", tags=["evaluation", "model", "page"])],
    Annotated[pd.DataFrame, ArtifactConfig(name="reference_window", tags=["evaluation", "drift"])],
    Annotated[EvaluationRun, ArtifactConfig(name="evaluation_run", tags=["evaluation"])],
]:
    """Evaluate on test rows that neither this model nor any before it was trained on."""
    from catalog.evaluation import evaluate_window
    from catalog.novelty import try_novelty
    from catalog.reference import build_reference_window
    from catalog.vector_machine import vectors_kept
    from reports.evaluation_charts import evaluation_charts, evaluation_pictures
    from reports.evaluation_page import evaluation_page
    from reports.model_card import model_card
    from tracking.evaluation_run import log_evaluation
    from tracking.model_files import load_classifier

    classifier = load_classifier(trained_classifier.model_uri)
    with vectors_kept():
        window = build_reference_window(listings, classifier)
        tried = abstain_on_novelty == "auto"
        trial = try_novelty(listings, trained_classifier.parameters, target_precision, seed) if tried else None
    evaluation = evaluate_window(window, taxonomy, target_precision, seed, trial)
    charts = evaluation_charts(evaluation)
    page = evaluation_page(evaluation, charts, f"Evaluation of {taxonomy.name}", classifier.vector_share_)
    card = model_card(evaluation, trained_classifier, data_profile, source, taxonomy.name, datetime.now(UTC))
    run = log_evaluation(evaluation, page, card, evaluation_pictures(charts), window)
    shown = evaluation.model_dump(include={"weighted_f1", "macro_f1", "expected_calibration_error"})
    log_metadata(metadata=shown, artifact_name="evaluation", infer_artifact=True)
    return evaluation, HTMLString(page), MarkdownString(card), window, run
