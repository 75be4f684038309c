"""The first step: find out what this run learns from and what is in production. Never cached, so that others can be."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, Model, step

from catalog.profile import Profile
from catalog.source import ListingSource
from steps.materializers import TableMaterializer, folder_of_listings
from tracking.registry import FILES_KEY, RegisteredVersion


@step(enable_cache=False, experiment_tracker=True, output_materializers={"feedback": TableMaterializer})
def collect_inputs(
    data: str | None, size: int, seed: int, model_name: str
) -> tuple[
    Annotated[ListingSource, ArtifactConfig(name="source", tags=["data"])],
    Annotated[pd.DataFrame, ArtifactConfig(name="feedback", tags=["data", "feedback"])],
    Annotated[RegisteredVersion | None, ArtifactConfig(name="champion", tags=["model"])],
    Annotated[Profile | None, ArtifactConfig(name="last_profile", tags=["data"])],
]:
    """Identify the listings, read the feedback, and look up the version in production and the profile of its data."""
    from catalog.listings import identify_source
    from ledger.database import database_url
    from ledger.feedback import read_feedback
    from tracking.model_files import read_profile
    from tracking.registry import PRODUCTION, by_alias

    with folder_of_listings(data) as folder:
        source = identify_source(data, folder, size, seed)
    champion = by_alias(model_name, PRODUCTION)
    if champion:
        champion = champion.model_copy(update={"files": _recorded_files(model_name, champion.tags.get("mirror"))})
    feedback = read_feedback(database_url(), model_name)
    comparable = champion is not None and champion.tags.get("source") == source.kind
    return source, feedback, champion, read_profile(champion) if champion and comparable else None


def _recorded_files(model_name: str, mirror: str | None) -> str | None:
    """Return the digest of a version's files that ZenML has beside its version of the model; None without a record."""
    if mirror is None or not mirror.isdecimal():  # ZenML would create a version with another name
        return None
    try:
        recorded = Model(name=model_name, version=mirror).run_metadata.get(FILES_KEY)
    except (KeyError, RuntimeError):  # that version was deleted in ZenML
        return None
    return str(recorded) if recorded else None
