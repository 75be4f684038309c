"""First step: find out what this run is about to learn from. Never cached, so that later steps can be."""

from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, step

from steps.materializers import TableMaterializer


@step(enable_cache=False, experiment_tracker=True, output_materializers={"feedback": TableMaterializer})
def collect_inputs(
    data: str | None, size: int, seed: int, model_name: str
) -> tuple[
    Annotated[dict[str, Any], ArtifactConfig(name="source", tags=["data"])],
    Annotated[pd.DataFrame, ArtifactConfig(name="feedback", tags=["data", "feedback"])],
    Annotated[dict[str, Any], ArtifactConfig(name="last_profile", tags=["data"])],
]:
    """Identify the listings, read the feedback, and fetch the data profile of the version in production."""
    from ledger.database import database_url
    from ledger.feedback import read_feedback
    from steps.ingest import identify_source
    from steps.registry import PRODUCTION, by_alias, read_profile

    champion = by_alias(model_name, PRODUCTION)
    return (
        identify_source(data, size, seed),
        read_feedback(database_url(), model_name),
        read_profile(champion) if champion else {},
    )
