"""The promotion gate: register the challenger and decide whether it replaces the version in production."""

import hashlib
from datetime import datetime

import pandas as pd

from catalog.comparison import Decision, PromotionRules, decide, decide_first, refuse, rows_that_decide
from catalog.evaluation import Evaluation
from catalog.source import TRAINED_ON, SourceKind
from catalog.taxonomy import Taxonomy
from tracking import registry
from tracking.champion import ChampionError, predict_with_own_code
from tracking.registry import Challenger, RegisteredVersion
from tracking.training_run import Trained


def decide_promotion(
    trained: Trained,
    evaluation: Evaluation,
    evaluation_run: str,
    window: pd.DataFrame,
    champion: RegisteredVersion | None,
    taxonomy: Taxonomy,
    rules: PromotionRules,
    *,
    new_baseline: bool,
    seed: int,
    now: datetime,
) -> Decision:
    """Register the challenger and compare it with the champion, both on the test rows of the reference window.

    `champion` is the version in production (None: there is none yet). With `new_baseline` the challenger is judged by
    the minimum scores alone. `evaluation_run` is the tracker's run of its evaluation. A question that was answered
    before is not asked again, except for a new baseline. `now` says which of the reviewed rows are recent.
    """
    challenger = Challenger(
        run_id=trained.run_id,
        evaluation_run=evaluation_run,
        model_uri=trained.model_uri,
        taxonomy=taxonomy.digest,
        source=trained.source,
    )
    question = _question(challenger, champion, rules, seed)
    if answer := _known_answer(taxonomy.name, challenger, champion, None if new_baseline else question):
        return answer
    registered = registry.register(taxonomy.name, challenger)
    if champion is None or new_baseline:
        decision = decide_first(evaluation, rules, new_baseline=new_baseline and champion is not None)
        final = not new_baseline
    else:
        decision, final = _compare(window, champion, taxonomy, rules, seed, trained.source, now)
    known = {"challenger_version": registered.number, "question": question if final else None}
    return decision.model_copy(update=known)


def settled_tag(question: str) -> str:
    """Return the name of the tag with which a version remembers the answer to a question."""
    return f"settled.{question[:32]}"


def _question(challenger: Challenger, champion: RegisteredVersion | None, rules: PromotionRules, seed: int) -> str:
    """Return a digest of all that a decision depends on: both models, their evaluation, rules and seed."""
    opponent = f"{champion.number} {champion.source} {champion.evaluation_run}" if champion else "none"
    parts = (challenger.identity, opponent, rules.model_dump_json(), str(seed))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _known_answer(
    name: str, challenger: Challenger, champion: RegisteredVersion | None, question: str | None
) -> Decision | None:
    """Return the decision if the challenger is the champion, or if the question was answered before."""
    if champion and champion.tags.get("identity") == challenger.identity:
        known, why = champion, "which is in production"
    elif question and (answered := registry.by_tag(name, settled_tag(question))):
        known, verdict = answered, answered.tags[settled_tag(question)]
        opponent = f"against version {champion.number}" if champion else "when none was in production"
        why = f"which was {verdict} {opponent}"
    else:
        return None
    refused = refuse(f"same data and code as version {known.number}, {why}")
    return refused.model_copy(update={"challenger_version": known.number})


def _compare(
    window: pd.DataFrame,
    champion: RegisteredVersion,
    taxonomy: Taxonomy,
    rules: PromotionRules,
    seed: int,
    source: SourceKind,
    now: datetime,
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
    test, recent = rows_that_decide(window, rules, now)
    try:
        champion_predicted = predict_with_own_code(champion, test)
    except ChampionError as error:
        reason = f"{error}; repair it, roll back with 'python run.py rollback', or run again with --new-baseline"
        return refuse(reason, champion_version=champion.number), False
    decision = decide(
        codes=test["prdtypecode"].to_numpy(),
        champion_predicted=champion_predicted,
        challenger_predicted=test["predicted_code"].to_numpy(),
        recent=recent,
        taxonomy=taxonomy,
        rules=rules,
        champion_version=champion.number,
        seed=seed,
    )
    return decision, True
