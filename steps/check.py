"""Hold the raw listings against the data contract, publish the verdict, then stop the run where it is critical."""

from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import HTMLString

from steps.caching import CHECKING, depends_on


@step(cache_policy=depends_on(CHECKING))
def check_listings(
    raw_listings: pd.DataFrame, last_profile: dict[str, Any], labels: dict[int, str]
) -> tuple[
    Annotated[dict[str, Any], ArtifactConfig(name="data_report", tags=["data", "quality"])],
    Annotated[HTMLString, ArtifactConfig(name="data_report_page", tags=["data", "quality"])],
]:
    """Check the listings; the result is published whatever it says."""
    from steps.quality import check_listings as check

    report = check(raw_listings, labels, last_profile or None)
    log_metadata(metadata={"verdict": report.verdict}, artifact_name="data_report", infer_artifact=True)
    return report.as_dict(), HTMLString(report.to_html())


@step(enable_cache=False)
def gate_listings(data_report: dict[str, Any]) -> None:
    """Stop the run when the report has a critical finding."""
    from steps.quality import gate

    gate(data_report)
