"""The work of the main job in one plain script: the same functions, without ZenML and its artifact store.

python -m benchmarks.plain_training [--size 20000]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Read, check, consolidate, train, evaluate, log to MLflow, package. Nothing is promoted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plain_training")
    parser.add_argument("--size", type=int, default=20_000)
    size: int = parser.parse_args(arguments).size

    from state.folder import State

    state = State.chosen(Path(os.environ["STATE_DIR"]) if "STATE_DIR" in os.environ else Path(tempfile.mkdtemp()))
    state.enter()
    state.prepare()

    import mlflow

    from bento.build import build_bento
    from catalog.candidates import fit_candidates
    from catalog.consolidation import consolidate
    from catalog.evaluation import evaluate_window
    from catalog.listings import read_source
    from catalog.model_folder import Manifest
    from catalog.novelty import try_novelty
    from catalog.reference import build_reference_window
    from catalog.source import ListingSource
    from catalog.taxonomy import EMBEDDED
    from checks.data_contract import check_contract
    from checks.data_report import require_contract
    from ledger.database import database_url
    from ledger.feedback import read_feedback
    from pipelines.config import DEFAULT, TrainingConfig
    from reports.evaluation_charts import evaluation_charts
    from reports.evaluation_page import evaluation_page

    config = TrainingConfig.read(DEFAULT)
    raw = read_source(ListingSource(kind="embedded", size=size, seed=config.seed), None)
    require_contract(check_contract(raw, EMBEDDED, None))
    feedback = read_feedback(database_url(), EMBEDDED.name)
    consolidation = consolidate(raw, feedback, EMBEDDED.labels, config.consolidation)
    listings = consolidation.listings
    chosen = fit_candidates(listings, config.candidates, config.seed)
    window = build_reference_window(listings, chosen.classifier)
    trial = try_novelty(listings, chosen.parameters, config.target_precision, config.seed)
    evaluation = evaluate_window(window, EMBEDDED, config.target_precision, config.seed, trial)
    page = evaluation_page(evaluation, evaluation_charts(evaluation), "plain")

    mlflow.set_tracking_uri(f"sqlite:///{state.folder / 'plain.db'}")
    experiment = mlflow.create_experiment("plain", artifact_location=str(state.folder / "plain-artifacts"))
    from catalog.classifier import TRUSTED_TYPES

    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_metric("weighted_f1", evaluation.weighted_f1)
        mlflow.log_text(page, "evaluation.html")
        mlflow.sklearn.log_model(
            chosen.classifier, name="classifier", serialization_format="skops", skops_trusted_types=TRUSTED_TYPES,
            pip_requirements=["scikit-learn"],
        )  # fmt: skip
    manifest = Manifest(
        EMBEDDED.name, "0", run.info.run_id, consolidation.profile.data_hash,
        {"weighted_f1": evaluation.weighted_f1}, EMBEDDED.labels, evaluation.threshold,
        evaluation.usual_score, evaluation.on_novelty, chosen.classifier.temperature_, {}, "",
    )  # fmt: skip
    build_bento(chosen.classifier, manifest, "", listings.head(500))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
