"""Challenger against champion, on the same rows, scored now."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.types import HTMLString

from catalog.comparison import Decision, PromotionRules, decide, decide_first, refuse


@step(enable_cache=False, experiment_tracker=True)
def compare_with_production(
    trained_classifier: dict[str, Any],
    evaluation: dict[str, Any],
    reference_window: pd.DataFrame,
    labels: dict[int, str],
    model_name: str,
    rules: PromotionRules,
    new_baseline: bool,
    seed: int,
) -> tuple[
    Annotated[dict[str, Any], ArtifactConfig(name="decision", tags=["promotion"])],
    Annotated[HTMLString, ArtifactConfig(name="decision_page", tags=["promotion"])],
]:
    """Register the challenger and decide whether it replaces the version in production."""
    import mlflow

    from steps.reports import decision_page

    verdict = _compare(
        trained_classifier,
        evaluation,
        reference_window,
        labels,
        model_name,
        rules,
        new_baseline=new_baseline,
        seed=seed,
    )
    decision: Decision = verdict.pop("decision")
    answer = {**decision.as_dict(), **verdict}
    mlflow.set_tags({"promoted": decision.promoted, "reason": decision.reason})
    mlflow.log_dict(answer, "decision.json")
    log_metadata(
        metadata={"promoted": decision.promoted, "reason": decision.reason},
        artifact_name="decision",
        infer_artifact=True,
    )
    return answer, HTMLString(decision_page(decision))


def _compare(
    trained: dict[str, Any],
    evaluation: dict[str, Any],
    window: pd.DataFrame,
    labels: dict[int, str],
    name: str,
    rules: PromotionRules,
    *,
    new_baseline: bool,
    seed: int,
) -> dict[str, Any]:
    """Return the decision, the challenger's version, and `settled`: whether the same inputs need asking only once."""
    from steps import registry

    taxonomy_digest = _digest(*(f"{code}={label}" for code, label in sorted(labels.items())))
    question = _digest(trained["fingerprint"], taxonomy_digest, rules.model_dump_json())
    answered = registry.by_tag(name, "settled", question)
    champion = registry.by_alias(name, registry.PRODUCTION)
    if answered and not (new_baseline and champion and answered.number != champion.number):
        decision = refuse(f"same data and code as version {answered.number}")
        return {"decision": decision, "challenger_version": answered.number, "settled": None}
    challenger = registry.register(name, trained["run_id"], trained["model_uri"], taxonomy_digest)
    settled: str | None = question
    champion_version = champion.number if champion else None
    if champion is None or new_baseline:
        decision = decide_first(evaluation, rules, new_baseline=new_baseline and champion is not None)
    elif champion.tags.get("taxonomy") != taxonomy_digest:
        decision = refuse(
            f"version {champion.number} in production knows another set of types, so the two cannot be compared; "
            "run again with --new-baseline to start from the new taxonomy",
            champion_version=champion_version,
        )
        settled = None
    else:
        test = window[window["split"] == "test"]
        since = datetime.now(UTC) - timedelta(days=rules.recent_days)
        try:
            decision = decide(
                codes=test["prdtypecode"].to_numpy(),
                champion_predicted=registry.predict_with_own_code(champion, test),
                challenger_predicted=test["predicted_code"].to_numpy(),
                recent=((test["origin"] == "reviewed") & (test["given_at"] >= since)).to_numpy(dtype=bool),
                labels=labels,
                rules=rules,
                champion_version=champion.number,
                seed=seed,
            )
        except registry.ChampionError as error:
            decision = refuse(
                f"{error}; repair it, roll back with 'python run.py rollback', or run again with --new-baseline",
                champion_version=champion_version,
            )
            settled = None
    return {"decision": decision, "challenger_version": challenger.number, "settled": settled}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
