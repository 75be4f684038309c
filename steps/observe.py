"""The steps of monitoring up to its figures.

No text of a listing is copied from the ledger into the artifact store: a step hands on which rows are meant, and the
next one reads them again. So what a user has erased is erased, and a run every few minutes stores kilobytes.
"""

from datetime import UTC, datetime
from typing import Annotated

from zenml import ArtifactConfig, log_metadata, step
from zenml.types import HTMLString

from catalog.agreement import Quality, QualityRules
from catalog.taxonomy import Taxonomy
from checks.drift import Drift, DriftRules
from ledger.windows import Window, WindowRules
from tracking.registry import RegisteredVersion

_NO_PAGE = "<p>Nothing drifted. Evidently's page is kept of runs with drift only.</p>"


@step(enable_cache=False, experiment_tracker=True)
def select_window(
    model_name: str, rules: WindowRules
) -> tuple[
    Annotated[Window, ArtifactConfig(name="window", tags=["monitoring"])],
    Annotated[RegisteredVersion, ArtifactConfig(name="champion", tags=["monitoring", "model"])],
]:
    """Choose the predictions to look at, and look up the version in production, which gave them."""
    from tracking.registry import in_production

    champion = in_production(model_name)
    return rules.window(model_name, champion.number, datetime.now(UTC)), champion


@step(enable_cache=False, experiment_tracker=True)
def measure_drift(
    window: Window, champion: RegisteredVersion, taxonomy: Taxonomy, rules: DriftRules, seed: int
) -> tuple[
    Annotated[Drift, ArtifactConfig(name="drift", tags=["monitoring", "drift"])],
    Annotated[HTMLString, ArtifactConfig(name="evidently_page", tags=["monitoring", "drift", "page"])],
]:
    """Compare what came in with the reference window of the version that answered it."""
    from checks.drift_measurement import measure_drift as measure
    from ledger.database import database_url
    from ledger.windows import read_predictions
    from tracking.model_files import read_reference

    current = read_predictions(database_url(), window)
    drift, page = measure(current, read_reference(champion.evaluation_run), taxonomy, rules, seed)
    log_metadata(
        metadata={"verdict": drift.verdict, "reason": drift.reason}, artifact_name="drift", infer_artifact=True
    )
    return drift, HTMLString(page or _NO_PAGE)


@step(enable_cache=False, experiment_tracker=True)
def measure_quality(
    window: Window, champion: RegisteredVersion, taxonomy: Taxonomy, rules: QualityRules
) -> Annotated[Quality, ArtifactConfig(name="quality", tags=["monitoring", "feedback"])]:
    """Compare what reviewers said with what the evaluation predicted."""
    from catalog.agreement import measure_quality as measure
    from ledger.database import database_url
    from ledger.windows import read_feedback_on, read_predictions
    from tracking.model_files import read_reference

    reference = read_reference(champion.evaluation_run)
    quality = measure(
        feedback=read_feedback_on(database_url(), window),
        confidences=read_predictions(database_url(), window)["confidence"].to_numpy(dtype=float),
        held_out=reference[reference["split"] == "test"],
        taxonomy=taxonomy,
        rules=rules,
    )
    log_metadata(
        metadata={"verdict": quality.verdict, "reason": quality.reason}, artifact_name="quality", infer_artifact=True
    )
    return quality
