"""The main job: listings in, a checked, tracked, promoted and packaged classifier out."""

from zenml import pipeline

from catalog.taxonomy import Taxonomy
from pipelines.config import TrainingConfig
from pipelines.hooks import record_host
from steps.audit import audit_labels
from steps.check import check_listings, gate_listings
from steps.collect import collect_inputs
from steps.compare import compare_with_production
from steps.consolidate import consolidate_listings
from steps.evaluate import evaluate_classifier
from steps.ingest import ingest_listings
from steps.package import package_bento
from steps.promote import promote_classifier
from steps.train import train_classifier


@pipeline(tags=["product-types"], on_success=record_host)
def training(data: str | None, taxonomy: Taxonomy, config: TrainingConfig, new_baseline: bool) -> None:
    """Train on the listings in the folder `data` (None: the embedded ones) and promote a model that is better."""
    seed = config.seed
    source, feedback, champion, last_profile = collect_inputs(data, config.size, seed, taxonomy.name)
    raw = ingest_listings(source)
    report, _ = check_listings(raw, last_profile, taxonomy)
    gate_listings(report)
    listings, profile = consolidate_listings(raw, feedback, taxonomy, config.consolidation, after="gate_listings")
    to_train = listings
    if config.audit.in_training != "off":
        to_train, _, _ = audit_labels(listings, taxonomy, config.audit, seed)
    trained = train_classifier(to_train, profile, config.candidates, "embedded" if data is None else "files", seed)
    evaluation, _, card, window, evaluated = evaluate_classifier(
        listings, profile, trained, source, taxonomy, config.target_precision, config.abstain_on_novelty, seed
    )
    decision, _ = compare_with_production(
        trained, evaluation, evaluated, window, champion, source, profile, taxonomy, config, new_baseline
    )
    bento = package_bento(listings, trained, evaluation, decision, card, taxonomy)
    promote_classifier(decision, evaluation, profile, report, bento, champion, taxonomy.name)
