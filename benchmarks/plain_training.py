"""The main job's work in one plain script: the same functions one after another, without ZenML and its artifact store.

python -m benchmarks.plain_training [--size 20000]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Read, check, consolidate, train, evaluate, log to MLflow, package; nothing is promoted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plain_training")
    parser.add_argument("--size", type=int, default=20_000)
    size: int = parser.parse_args(arguments).size

    from state.folder import State

    state = State.chosen(Path(os.environ["STATE_DIR"]) if "STATE_DIR" in os.environ else Path(tempfile.mkdtemp()))
    state.enter()
    state.prepare()

    import mlflow

    from bento.build import build_bento
    from catalog.evaluation import abstention_threshold, evaluate
    from catalog.listings import consolidate
    from catalog.model_folder import Manifest
    from catalog.taxonomy import RAKUTEN
    from ledger.database import database_url
    from ledger.feedback import read_feedback
    from pipelines.config import DEFAULT, TrainingConfig
    from reports.evaluation_page import evaluation_page
    from steps.ingest import read_source
    from steps.quality import check_listings, gate
    from steps.train import fit_candidates

    config = TrainingConfig.read(DEFAULT)
    labels = dict(RAKUTEN.labels)
    raw = read_source({"kind": "embedded", "size": size, "seed": config.seed})
    gate(check_listings(raw, labels, None).as_dict())
    feedback = read_feedback(database_url(), RAKUTEN.name)
    consolidation = consolidate(raw, feedback, labels, config.consolidation)
    listings = consolidation.listings
    trained = fit_candidates(listings, config.candidates, config.seed)
    held_out = listings[listings["split"] != "train"]
    confidence = trained.classifier.predict_proba(held_out)
    held_out = held_out.assign(
        predicted=trained.classifier.classes_[confidence.argmax(axis=1)], confidence=confidence.max(axis=1)
    )
    validation, test = (held_out[held_out["split"] == split] for split in ("validation", "test"))
    threshold = abstention_threshold(
        validation["prdtypecode"].to_numpy(), validation["predicted"].to_numpy(), validation["confidence"].to_numpy()
    )
    evaluation = evaluate(
        test["prdtypecode"].to_numpy(),
        test["predicted"].to_numpy(),
        test["confidence"].to_numpy(),
        languages=test["language"].to_numpy(dtype=object),
        has_description=test["description"].notna().to_numpy(),
        labels=labels,
        threshold=threshold,
        seed=config.seed,
    )
    page = evaluation_page(evaluation, "plain")
    figures = evaluation.as_dict()

    mlflow.set_tracking_uri(f"sqlite:///{state.folder / 'plain.db'}")
    experiment = mlflow.create_experiment("plain", artifact_location=str(state.folder / "plain-artifacts"))
    from catalog.classifier import TRUSTED_TYPES

    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_metric("weighted_f1", figures["weighted_f1"])
        mlflow.log_text(page, "evaluation.html")
        mlflow.sklearn.log_model(
            trained.classifier, name="classifier", serialization_format="skops", skops_trusted_types=TRUSTED_TYPES,
            pip_requirements=["scikit-learn"],
        )  # fmt: skip
    manifest = Manifest(
        RAKUTEN.name, "0", run.info.run_id, consolidation.profile["data_hash"],
        {"weighted_f1": figures["weighted_f1"]}, labels, threshold, trained.classifier.temperature_, {}, "",
    )  # fmt: skip
    build_bento(trained.classifier, manifest, "", listings.head(500))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
