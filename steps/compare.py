"""Compare the challenger with the version in production on the same rows, scored now."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.metadata.metadata_types import MetadataType
from zenml.types import HTMLString

from catalog.comparison import Decision, PromotionRules
from catalog.evaluation import Evaluation
from catalog.taxonomy import Taxonomy
from tracking.evaluation_run import EvaluationRun
from tracking.registry import FILES_KEY, RegisteredVersion
from tracking.training_run import Trained


@step(enable_cache=False, experiment_tracker=True)
def compare_with_production(
    trained_classifier: Trained,
    evaluation: Evaluation,
    evaluation_run: EvaluationRun,
    reference_window: pd.DataFrame,
    champion: RegisteredVersion | None,
    taxonomy: Taxonomy,
    rules: PromotionRules,
    new_baseline: bool,
    seed: int,
) -> tuple[
    Annotated[Decision, ArtifactConfig(name="decision", tags=["promotion"])],
    Annotated[HTMLString, ArtifactConfig(name="decision_page", tags=["promotion"])],
]:
    """Register the challenger and decide whether it replaces the version in production."""
    import mlflow

    from reports.decision_page import decision_page
    from tracking.promotion_gate import decide_promotion

    decision = decide_promotion(
        trained_classifier, evaluation, evaluation_run.run_id, reference_window, champion, taxonomy, rules,
        new_baseline=new_baseline, seed=seed,
    )  # fmt: skip
    summary: dict[str, MetadataType] = {"promoted": decision.promoted, "reason": decision.reason}
    mlflow.set_tags(summary)
    mlflow.log_dict(decision.model_dump(mode="json"), "decision.json")
    log_metadata(metadata=summary, artifact_name="decision", infer_artifact=True)
    # Outside the tracker: its writers must not be able to say which code of the next champion is to be trusted.
    log_metadata(metadata={FILES_KEY: trained_classifier.files}, infer_model=True)
    return decision, HTMLString(decision_page(decision))
