"""The promotion gate: register the challenger and decide whether it replaces the version in production."""

import hashlib
from datetime import UTC, datetime, timedelta

import pandas as pd

from catalog.comparison import Decision, PromotionRules, decide, decide_first, refuse
from catalog.evaluation import Evaluation
from catalog.source import TRAINED_ON, SourceKind
from catalog.taxonomy import Taxonomy
from tracking import registry
from tracking.champion import ChampionError, predict_with_own_code
from tracking.registry import RegisteredVersion
from tracking.training_run import Trained


def decide_promotion(
    trained: Trained,
    evaluation: Evaluation,
    window: pd.DataFrame,
    champion: RegisteredVersion | None,
    taxonomy: Taxonomy,
    rules: PromotionRules,
    *,
    new_baseline: bool,
    seed: int,
) -> Decision:
    """Register the challenger and compare it with the champion, both on the test rows of the reference window.

    `champion` is the version in production (None: there is none yet). With `new_baseline` the challenger is judged by
    the minimum scores alone.
    """
    inputs = inputs_digest(trained, taxonomy, rules)
    answered = registry.by_tag(taxonomy.name, "settled", inputs)
    if answered and not (new_baseline and champion and answered.number != champion.number):
        refused = refuse(f"same data and code as version {answered.number}")
        return refused.model_copy(update={"challenger_version": answered.number})
    challenger = registry.register(taxonomy.name, trained.run_id, trained.model_uri, taxonomy.digest, trained.source)
    if champion is None or new_baseline:
        decision = decide_first(evaluation, rules, new_baseline=new_baseline and champion is not None)
        final = True
    else:
        decision, final = _compare(window, champion, taxonomy, rules, seed, trained.source)
    registered = {"challenger_version": challenger.number, "inputs_digest": inputs if final else None}
    return decision.model_copy(update=registered)


def inputs_digest(trained: Trained, taxonomy: Taxonomy, rules: PromotionRules) -> str:
    """Return a digest of what a decision depends on: training, taxonomy and rules."""
    parts = (trained.fingerprint, taxonomy.digest, rules.model_dump_json())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _compare(
    window: pd.DataFrame,
    champion: RegisteredVersion,
    taxonomy: Taxonomy,
    rules: PromotionRules,
    seed: int,
    source: SourceKind,
) -> tuple[Decision, bool]:
    """Return the decision, and whether it is final for these inputs: it is not if the two could not be compared."""
    if champion.tags.get("taxonomy") != taxonomy.digest:
        reason = (
            f"version {champion.number} in production has another set of types, so the two cannot be compared; "
            "run again with --new-baseline to start from the new taxonomy"
        )
        return refuse(reason, champion_version=champion.number), False
    if champion.tags.get("source") != source:
        other = TRAINED_ON.get(champion.tags.get("source", ""), "listings of which no record says where they are from")
        reason = (
            f"version {champion.number} in production was trained on {other} and this one on {TRAINED_ON[source]}, so "
            "these test rows cannot decide between them; run again with --new-baseline to start from the new listings"
        )
        return refuse(reason, champion_version=champion.number), False
    test = window[window["split"] == "test"]
    since = datetime.now(UTC) - timedelta(days=rules.recent_days)
    try:
        champion_predicted = predict_with_own_code(champion, test)
    except ChampionError as error:
        reason = f"{error}; repair it, roll back with 'python run.py rollback', or run again with --new-baseline"
        return refuse(reason, champion_version=champion.number), False
    decision = decide(
        codes=test["prdtypecode"].to_numpy(),
        champion_predicted=champion_predicted,
        challenger_predicted=test["predicted_code"].to_numpy(),
        recent=((test["origin"] == "reviewed") & (test["given_at"] >= since)).to_numpy(dtype=bool),
        taxonomy=taxonomy,
        rules=rules,
        champion_version=champion.number,
        seed=seed,
    )
    return decision, True
