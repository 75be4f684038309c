"""Read the listings as they are."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.config.cache_policy import CachePolicy

from catalog.listings import read_source
from catalog.source import ListingSource
from steps.caching import code_digest
from steps.materializers import TableMaterializer, folder_of_listings


def code_version() -> str:
    """Return what the cached result depends on besides inputs and parameters."""
    return code_digest(__name__)


@step(output_materializers=TableMaterializer, cache_policy=CachePolicy(cache_func=code_version))
def ingest_listings(
    source: ListingSource,
) -> Annotated[pd.DataFrame, ArtifactConfig(name="raw_listings", tags=["data"])]:
    """Read the listings with every column as text. Raises `ListingReadError` if a file cannot be read."""
    with folder_of_listings(source.directory) as folder:
        raw = read_source(source, folder)
    log_metadata(metadata={"rows": len(raw), **source.summary()}, artifact_name="raw_listings", infer_artifact=True)
    return raw
