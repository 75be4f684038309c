"""Check the listings against the data contract and publish the report; then stop the run on a critical finding."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.config.cache_policy import CachePolicy
from zenml.types import HTMLString

from catalog.profile import Profile
from catalog.taxonomy import Taxonomy
from checks.data_contract import check_contract
from checks.data_report import DataReport, require_contract
from reports.data_report_page import data_report_page
from steps.caching import code_digest


def code_version() -> str:
    """Return what the cached result depends on besides inputs and parameters."""
    return code_digest(__name__)


@step(cache_policy=CachePolicy(cache_func=code_version))
def check_listings(
    raw_listings: pd.DataFrame, last_profile: Profile | None, taxonomy: Taxonomy
) -> tuple[
    Annotated[DataReport, ArtifactConfig(name="data_report", tags=["data", "quality"])],
    Annotated[HTMLString, ArtifactConfig(name="data_report_page", tags=["data", "quality", "page"])],
]:
    """Check the listings; the report is published whatever it says."""
    report = check_contract(raw_listings, taxonomy, last_profile)
    log_metadata(metadata={"verdict": report.verdict}, artifact_name="data_report", infer_artifact=True)
    return report, HTMLString(data_report_page(report))


@step(enable_cache=False)
def gate_listings(data_report: DataReport) -> None:
    """Stop the run if the report has a critical finding."""
    require_contract(data_report)
