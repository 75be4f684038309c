"""The steps of monitoring up to its figures.

No listing's text leaves the ledger for the artifact store: what a step hands on says which rows are meant, and the next
one reads them again. So what a user has erased is erased, and a run every few minutes leaves kilobytes.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import HTMLString

from catalog.agreement import QualityRules
from ledger.windows import Window
from steps.drift import DriftRules

_NO_PAGE = "<p>Nothing drifted. Evidently's page is kept of the runs where something did.</p>"


class WindowRules(BaseModel):
    """Which predictions are current: those of the version in production, the newest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(30, ge=1, le=3_650)
    maximum_rows: int = Field(10_000, ge=50, le=100_000)


class NothingInProductionError(RuntimeError):
    """There is no version in production to watch."""


@step(enable_cache=False, experiment_tracker=True)
def select_windows(
    model_name: str, rules: WindowRules
) -> Annotated[dict[str, Any], ArtifactConfig(name="windows", tags=["monitoring"])]:
    """Say which predictions are looked at, and what they are compared with: that of the version in production."""
    from steps.registry import PRODUCTION, by_alias

    version = by_alias(model_name, PRODUCTION)
    if version is None:
        raise NothingInProductionError(
            f"model '{model_name}' has no version in production yet: there is nothing to watch; "
            "train one with 'python run.py'"
        )
    now = datetime.now(UTC)
    window = Window(model_name, version.number, now - timedelta(days=rules.days), now, rules.maximum_rows)
    return {**asdict(window), "since": window.since.isoformat(), "until": now.isoformat(), "run_id": version.run_id}


@step(enable_cache=False, experiment_tracker=True)
def measure_drift(
    windows: dict[str, Any], labels: dict[int, str], rules: DriftRules, seed: int
) -> tuple[
    Annotated[dict[str, Any], ArtifactConfig(name="drift", tags=["monitoring", "drift"])],
    Annotated[HTMLString, ArtifactConfig(name="evidently_page", tags=["monitoring", "drift"])],
]:
    """Compare what came in with the reference window of the version that answered it."""
    from ledger.database import database_url
    from ledger.windows import read_predictions
    from steps.drift import measure_drift_between
    from steps.registry import read_reference

    current = read_predictions(database_url(), window_of(windows))
    drift, page = measure_drift_between(current, read_reference(windows["run_id"]), labels, rules, seed)
    log_metadata(
        metadata={"verdict": drift.verdict, "reason": drift.reason}, artifact_name="drift", infer_artifact=True
    )
    return drift.as_dict(), HTMLString(page or _NO_PAGE)


@step(enable_cache=False, experiment_tracker=True)
def measure_quality(
    windows: dict[str, Any], labels: dict[int, str], rules: QualityRules
) -> Annotated[dict[str, Any], ArtifactConfig(name="quality", tags=["monitoring", "feedback"])]:
    """Compare what reviewers said with what the evaluation makes one expect."""
    from catalog.agreement import measure_quality as measure
    from ledger.database import database_url
    from ledger.windows import read_feedback_on, read_predictions
    from steps.registry import read_reference

    url, window = database_url(), window_of(windows)
    reference = read_reference(windows["run_id"])
    quality = measure(
        feedback=read_feedback_on(url, window),
        confidences=read_predictions(url, window)["confidence"].to_numpy(dtype=float),
        held_out=reference[reference["split"] == "test"],
        labels=labels,
        rules=rules,
    )
    log_metadata(
        metadata={"verdict": quality.verdict, "reason": quality.reason}, artifact_name="quality", infer_artifact=True
    )
    return quality.as_dict()


def window_of(windows: dict[str, Any]) -> Window:
    """Return the window that `select_windows` chose."""
    since, until = (datetime.fromisoformat(windows[key]) for key in ("since", "until"))
    return Window(windows["model_name"], windows["model_version"], since, until, windows["maximum_rows"])
