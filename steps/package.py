"""Package the challenger as a Bento if it is to be promoted."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import MarkdownString

from catalog.comparison import Decision
from catalog.evaluation import Evaluation
from catalog.taxonomy import Taxonomy
from steps.materializers import BentoMaterializer, PackagedBento
from tracking.training_run import Trained


@step(enable_cache=False, experiment_tracker=True, output_materializers=BentoMaterializer)
def package_bento(
    listings: pd.DataFrame,
    trained_classifier: Trained,
    evaluation: Evaluation,
    decision: Decision,
    model_card: MarkdownString,
    taxonomy: Taxonomy,
) -> Annotated[PackagedBento, ArtifactConfig(name="bento", tags=["model", "serving"])]:
    """Package the challenger if it is to be promoted."""
    if not decision.promoted or decision.challenger_version is None:
        return PackagedBento(None)

    from bento.build import PARITY_LISTINGS, build_bento, export_bento
    from catalog.model_folder import Manifest
    from tracking.model_files import load_classifier

    classifier = load_classifier(trained_classifier.model_uri)
    manifest = Manifest(
        name=taxonomy.name,
        model_version=decision.challenger_version,
        run_id=trained_classifier.run_id,
        data_hash=trained_classifier.data_hash,
        scores=evaluation.model_dump(include={"weighted_f1", "macro_f1", "expected_calibration_error"}),
        labels=taxonomy.labels,
        threshold=evaluation.threshold,
        usual_score=evaluation.usual_score,
        abstains_on_novelty=evaluation.on_novelty,
        temperature=trained_classifier.temperature,
        parameters=trained_classifier.parameters.model_dump(mode="json"),
        registered_at=datetime.now(UTC).isoformat(timespec="seconds"),
        encoder=classifier.encoder_,
    )
    sample = listings.sample(n=min(len(listings), PARITY_LISTINGS), random_state=0)
    tag = build_bento(classifier, manifest, model_card, sample)
    log_metadata(
        metadata={"bento_tag": tag, "parity_listings": len(sample)}, artifact_name="bento", infer_artifact=True
    )
    return PackagedBento(tag, partial(export_bento, tag))
