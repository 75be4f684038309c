"""Watching the version in production: what comes in, how it is answered, and what people say about the answers."""

from zenml import pipeline

from pipelines.config import MonitoringConfig
from steps.observe import measure_drift, measure_quality, select_windows
from steps.provenance import note_host
from steps.publish import publish_verdict


@pipeline(tags=["product-types"], enable_cache=False, on_success=note_host)
def monitoring(model_name: str, labels: dict[int, str], config: MonitoringConfig) -> None:
    """Measure drift and quality of the version in production and publish the verdict."""
    windows = select_windows(model_name, config.window)
    drift, _ = measure_drift(windows, labels, config.drift, config.seed)
    quality = measure_quality(windows, labels, config.quality)
    publish_verdict(windows, drift, quality)
