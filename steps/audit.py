"""Audit the labels: list those that are probably wrong, and leave them out of the training if the rules say so."""

from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.config.cache_policy import CachePolicy
from zenml.metadata.metadata_types import MetadataType
from zenml.types import HTMLString

from catalog.audit_rules import AuditRules
from catalog.taxonomy import Taxonomy
from reports.label_audit_page import label_audit_page
from steps.caching import code_digest
from steps.materializers import TableMaterializer


def code_version() -> str:
    """Return what the cached result depends on besides inputs and parameters."""
    return code_digest(__name__)


@step(
    output_materializers={"listings_to_train": TableMaterializer, "label_suspects": TableMaterializer},
    cache_policy=CachePolicy(cache_func=code_version),
)
def audit_labels(
    listings: pd.DataFrame, taxonomy: Taxonomy, rules: AuditRules, seed: int
) -> tuple[
    Annotated[pd.DataFrame, ArtifactConfig(name="listings_to_train", tags=["data"])],
    Annotated[pd.DataFrame, ArtifactConfig(name="label_suspects", tags=["data", "quality"])],
    Annotated[HTMLString, ArtifactConfig(name="label_audit_page", tags=["data", "quality", "page"])],
]:
    """List the suspects; drop or correct the sure ones among the train rows, if the rules say so."""
    from catalog.label_audit import audit_labels as audit
    from catalog.label_audit import doubted, without_errors

    suspects = audit(listings, rules, seed)
    page = label_audit_page(suspects, len(doubted(listings, rules)), taxonomy, rules)
    found: dict[str, MetadataType] = {
        "suspects": len(suspects),
        "sure": int(suspects["sure"].sum()),
        "in_training": rules.in_training,
    }
    log_metadata(metadata=found, artifact_name="label_suspects", infer_artifact=True)
    return without_errors(listings, suspects, rules), suspects, HTMLString(page)
