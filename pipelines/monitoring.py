"""Watching the version in production: what comes in, how it is answered, and what people say about the answers."""

from zenml import pipeline

from catalog.taxonomy import Taxonomy
from pipelines.config import MonitoringConfig
from pipelines.hooks import record_host
from steps.observe import measure_drift, measure_quality, select_window
from steps.publish import publish_verdict


@pipeline(tags=["product-types"], enable_cache=False, on_success=record_host)
def monitoring(taxonomy: Taxonomy, config: MonitoringConfig) -> None:
    """Measure drift and quality of the version in production and publish the verdict."""
    window, champion = select_window(taxonomy.name, config.window)
    drift, _ = measure_drift(window, champion, taxonomy, config.drift, config.seed)
    quality = measure_quality(window, champion, taxonomy, config.quality)
    publish_verdict(window, drift, quality)
