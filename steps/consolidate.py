"""One clean table: normalised texts, no repetition, feedback joined by trust, every row in its split."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.config.cache_policy import CachePolicy

from catalog.consolidation import ConsolidationRules, consolidate
from catalog.profile import Profile
from catalog.taxonomy import Taxonomy
from steps.caching import code_digest
from steps.materializers import TableMaterializer


def code_version() -> str:
    """Return what the cached result depends on besides inputs and parameters."""
    return code_digest(__name__)


@step(output_materializers={"listings": TableMaterializer}, cache_policy=CachePolicy(cache_func=code_version))
def consolidate_listings(
    raw_listings: pd.DataFrame, feedback: pd.DataFrame, taxonomy: Taxonomy, rules: ConsolidationRules
) -> tuple[
    Annotated[pd.DataFrame, ArtifactConfig(name="listings", tags=["data"])],
    Annotated[Profile, ArtifactConfig(name="data_profile", tags=["data"])],
]:
    """Normalise, remove repetitions, join the feedback, hash and split."""
    consolidation = consolidate(raw_listings, feedback, taxonomy.labels, rules)
    log_metadata(metadata={**consolidation.profile.summary()}, artifact_name="listings", infer_artifact=True)
    return consolidation.listings, consolidation.profile
