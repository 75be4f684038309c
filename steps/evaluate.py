"""Measure the trained classifier on the test split: figures, pages, a model card and the reference window."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import HTMLString, MarkdownString

from steps.caching import EVALUATING, depends_on
from steps.materializers import TableMaterializer

REFERENCE_COLUMNS = ["text_key", "designation", "description", "language", "origin", "given_at", "split", "prdtypecode"]


def build_reference_window(listings: pd.DataFrame, model_uri: str) -> pd.DataFrame:
    """Return the held-out listings with the model's answers: what live traffic is compared with later.

    Validation and test rows only: answers on rows that were learned from are surer than any that will be given live.
    """
    from steps.registry import load_classifier

    classifier = load_classifier(model_uri)
    held_out = listings.loc[listings["split"] != "train", REFERENCE_COLUMNS].reset_index(drop=True)
    probabilities = classifier.predict_proba(held_out)
    return held_out.assign(
        predicted_code=classifier.classes_[probabilities.argmax(axis=1)], confidence=probabilities.max(axis=1)
    )


@step(
    experiment_tracker=True,
    output_materializers={"reference_window": TableMaterializer},
    cache_policy=depends_on(EVALUATING),
)
def evaluate_classifier(
    listings: pd.DataFrame,
    data_profile: dict[str, Any],
    trained_classifier: dict[str, Any],
    source: dict[str, Any],
    labels: dict[int, str],
    model_name: str,
    target_precision: float,
    seed: int,
) -> tuple[
    Annotated[dict[str, Any], ArtifactConfig(name="evaluation", tags=["evaluation"])],
    Annotated[HTMLString, ArtifactConfig(name="evaluation_page", tags=["evaluation"])],
    Annotated[MarkdownString, ArtifactConfig(name="model_card", tags=["evaluation", "model"])],
    Annotated[pd.DataFrame, ArtifactConfig(name="reference_window", tags=["evaluation", "drift"])],
]:
    """Evaluate on test rows that neither this model nor any before it was trained on."""
    from catalog.evaluation import abstention_threshold, evaluate
    from steps.reports import evaluation_page, model_card

    window = build_reference_window(listings, trained_classifier["model_uri"])
    validation, test = (window[window["split"] == split] for split in ("validation", "test"))
    threshold = abstention_threshold(
        validation["prdtypecode"].to_numpy(),
        validation["predicted_code"].to_numpy(),
        validation["confidence"].to_numpy(),
        target_precision,
    )
    evaluation = evaluate(
        codes=test["prdtypecode"].to_numpy(),
        predicted=test["predicted_code"].to_numpy(),
        confidence=test["confidence"].to_numpy(),
        languages=test["language"].to_numpy(dtype=object),
        has_description=test["description"].notna().to_numpy(),
        labels=labels,
        threshold=threshold,
        seed=seed,
    )
    embedded = source["kind"] == "embedded"
    facts = {
        "name": model_name,
        "data_source": _describe(source),
        "is_synthetic": embedded,
        "profile": data_profile,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "threshold": threshold,
        "target_precision": target_precision,
        "candidates": {
            name: result["validation_weighted_f1"] for name, result in trained_classifier["candidates"].items()
        },
        **{key: trained_classifier[key] for key in ("parameters", "git_revision", "temperature")},
    }
    page = evaluation_page(evaluation, f"Evaluation of {model_name}")
    card = model_card(evaluation, facts)
    _log_to_tracker(evaluation, page, card, window, trained_classifier["run_id"])
    figures = evaluation.as_dict()
    shown = {key: figures[key] for key in ("weighted_f1", "macro_f1", "expected_calibration_error")}
    log_metadata(metadata=shown, artifact_name="evaluation", infer_artifact=True)
    return figures, HTMLString(page), MarkdownString(card), window


def _describe(source: Mapping[str, Any]) -> str:
    if source["kind"] == "embedded":
        return f"the embedded synthetic listings ({source['size']:,} of them, seed {source['seed']})"
    return f"files with the SHA-256 {source['sha256']}"


def _log_to_tracker(evaluation: Any, page: str, card: str, window: pd.DataFrame, run_id: str) -> None:
    """Add the measurements to the run that trained the model, which may be an earlier one when training was cached."""
    import tempfile
    from pathlib import Path

    import mlflow

    from steps.reports import confusion_figure, per_type_figure, reliability_figure

    client = mlflow.MlflowClient()
    figures = evaluation.as_dict()
    for key in ("weighted_f1", "macro_f1", "accuracy", "expected_calibration_error", "coverage", "selective_precision"):
        if figures.get(key) is not None:
            client.log_metric(run_id, f"test.{key}", figures[key])
    client.log_dict(run_id, figures, "evaluation/evaluation.json")
    client.log_text(run_id, page, "evaluation/evaluation.html")
    client.log_text(run_id, card, "model_card.md")
    for name, figure in (
        ("confusion", confusion_figure(evaluation)),
        ("reliability", reliability_figure(evaluation)),
        ("per_type", per_type_figure(evaluation)),
    ):
        client.log_figure(run_id, figure, f"evaluation/{name}.png")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference_window.parquet"
        window.to_parquet(path, compression="zstd", index=False)
        client.log_artifact(run_id, str(path))
