"""Compare the challenger with the version in production on the same rows, scored now."""

from datetime import UTC, datetime
from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, get_step_context, log_metadata, step
from zenml.metadata.metadata_types import MetadataType
from zenml.types import HTMLString

from catalog.comparison import Decision
from catalog.evaluation import Evaluation
from catalog.profile import Profile
from catalog.reproduction import Recipe
from catalog.source import ListingSource
from catalog.taxonomy import Taxonomy
from catalog.training_parameters import TrainingParameters
from steps.materializers import TABLE_FILE
from tracking.evaluation_run import EvaluationRun
from tracking.registry import FILES_KEY, RegisteredVersion
from tracking.training_record import RECORD_FILE, StoredTable, TrainingRecord
from tracking.training_run import Trained


@step(enable_cache=False, experiment_tracker=True)
def compare_with_production(
    trained_classifier: Trained,
    evaluation: Evaluation,
    evaluation_run: EvaluationRun,
    reference_window: pd.DataFrame,
    champion: RegisteredVersion | None,
    source: ListingSource,
    data_profile: Profile,
    taxonomy: Taxonomy,
    parameters: TrainingParameters,
    new_baseline: bool,
) -> tuple[
    Annotated[Decision, ArtifactConfig(name="decision", tags=["decision"])],
    Annotated[HTMLString, ArtifactConfig(name="decision_page", tags=["decision", "page"])],
]:
    """Register the challenger, decide whether it replaces the champion, and record what it was made from."""
    import mlflow

    from reports.decision_page import decision_page
    from tracking.promotion_gate import decide_promotion

    now = datetime.now(UTC)
    decision = decide_promotion(
        trained_classifier, evaluation, evaluation_run.run_id, reference_window, champion, taxonomy,
        parameters.promotion, new_baseline=new_baseline, seed=parameters.seed, now=now,
    )  # fmt: skip
    recipe = Recipe(
        parameters=parameters, taxonomy=taxonomy, source=source, new_baseline=new_baseline,
        champion_version=champion.number if champion else None, decided_at=now,
    )  # fmt: skip
    tables = _stored("consolidate_listings", "listings"), _stored("collect_inputs", "feedback")
    record = TrainingRecord.of(recipe, champion, data_profile.data_hash, *tables, data_profile.feedback.given)
    mlflow.log_dict(record.model_dump(mode="json"), RECORD_FILE)
    summary: dict[str, MetadataType] = {"promoted": decision.promoted, "reason": decision.reason}
    mlflow.set_tags(summary)
    mlflow.log_dict(decision.model_dump(mode="json"), "decision.json")
    log_metadata(metadata=summary, artifact_name="decision", infer_artifact=True)
    # Outside the tracker: its writers must not be able to say which code of the next champion is to be trusted.
    log_metadata(metadata={FILES_KEY: trained_classifier.files}, infer_model=True)
    return decision, HTMLString(decision_page(decision))


def _stored(step_name: str, output: str) -> StoredTable:
    """Return where a table is that an earlier step of this run has made, or that was taken from the cache for it."""
    artifact = get_step_context().pipeline_run.steps[step_name].outputs[output][0]
    return StoredTable(id=str(artifact.id), uri=f"{artifact.uri}/{TABLE_FILE}")
