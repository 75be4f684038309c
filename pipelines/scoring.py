"""A catalogue of any size: the version in production answers each row, and the whole is compared with its data."""

from zenml import pipeline

from catalog.taxonomy import Taxonomy
from pipelines.config import MonitoringConfig
from pipelines.hooks import record_host
from scoring.request import ScoringRequest
from steps.score import gate_rejected, measure_catalogue_drift, score_catalogue


@pipeline(tags=["product-types"], enable_cache=False, on_success=record_host)
def scoring(taxonomy: Taxonomy, request: ScoringRequest, config: MonitoringConfig, max_rejected: float) -> None:
    """Score the catalogue of a request, measure its drift, and fail if too many rows could not be used."""
    outcome, champion, dated = score_catalogue(taxonomy.name, request)
    measure_catalogue_drift(dated, outcome, champion, taxonomy, config.drift, config.seed)
    gate_rejected(outcome, max_rejected, after="measure_catalogue_drift")
