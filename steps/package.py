"""Package the challenger as a Bento when it is to be promoted."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import MarkdownString

from bento.build import PARITY_LISTINGS, build_bento, export_bento
from steps.materializers import BentoMaterializer, PackagedBento


@step(enable_cache=False, experiment_tracker=True, output_materializers=BentoMaterializer)
def package_bento(
    listings: pd.DataFrame,
    trained_classifier: dict[str, Any],
    evaluation: dict[str, Any],
    decision: dict[str, Any],
    model_card: MarkdownString,
    labels: dict[int, str],
    model_name: str,
) -> Annotated[PackagedBento, ArtifactConfig(name="bento", tags=["model", "serving"])]:
    """Package the challenger when it is to be promoted; otherwise name the Bento in production."""
    from steps import registry

    if not decision["promoted"]:
        champion = registry.by_alias(model_name, registry.PRODUCTION)
        return PackagedBento(champion.tags.get("bento_tag"), champion.number) if champion else PackagedBento(None, None)

    from catalog.model_folder import Manifest

    classifier = registry.load_classifier(trained_classifier["model_uri"])
    manifest = Manifest(
        name=model_name,
        model_version=decision["challenger_version"],
        run_id=trained_classifier["run_id"],
        data_hash=trained_classifier["data_hash"],
        scores={key: evaluation[key] for key in ("weighted_f1", "macro_f1", "expected_calibration_error")},
        labels=labels,
        threshold=evaluation["threshold"],
        temperature=classifier.temperature_,
        parameters=trained_classifier["parameters"],
        registered_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    sample = listings.sample(n=min(len(listings), PARITY_LISTINGS), random_state=0)
    tag = build_bento(classifier, manifest, model_card, sample)
    log_metadata(
        metadata={"bento_tag": tag, "parity_listings": len(sample)}, artifact_name="bento", infer_artifact=True
    )
    return PackagedBento(tag, manifest.model_version, partial(export_bento, tag))
