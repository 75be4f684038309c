"""One clean table: normalised keys, no repetition, feedback joined by trust, every row in its split for ever."""

from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step

from catalog.listings import ConsolidationRules
from steps.caching import CONSOLIDATING, depends_on
from steps.materializers import TableMaterializer


@step(output_materializers={"listings": TableMaterializer}, cache_policy=depends_on(CONSOLIDATING))
def consolidate_listings(
    raw_listings: pd.DataFrame, feedback: pd.DataFrame, labels: dict[int, str], rules: ConsolidationRules
) -> tuple[
    Annotated[pd.DataFrame, ArtifactConfig(name="listings", tags=["data"])],
    Annotated[dict[str, Any], ArtifactConfig(name="data_profile", tags=["data"])],
]:
    """Normalise, de-duplicate, join the feedback, hash and split."""
    from catalog.listings import consolidate

    consolidation = consolidate(raw_listings, feedback, labels, rules)
    facts: dict[str, Any] = {
        key: value for key, value in consolidation.profile.items() if isinstance(value, str | int | float)
    }
    log_metadata(metadata=facts, artifact_name="listings", infer_artifact=True)
    return consolidation.listings, consolidation.profile
