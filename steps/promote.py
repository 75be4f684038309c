"""The last step: only now are the aliases moved."""

from typing import Annotated

from zenml import ArtifactConfig, add_tags, get_step_context, log_metadata, step

from catalog.comparison import Decision
from catalog.evaluation import Evaluation
from catalog.profile import Profile
from checks.data_report import DataReport
from steps.materializers import PackagedBento
from tracking.outcome import Outcome
from tracking.registry import PRODUCTION, RegisteredVersion


@step(enable_cache=False, experiment_tracker=True)
def promote_classifier(
    decision: Decision,
    evaluation: Evaluation,
    data_profile: Profile,
    data_report: DataReport,
    bento: PackagedBento,
    champion: RegisteredVersion | None,
    model_name: str,
) -> Annotated[Outcome, ArtifactConfig(name="outcome", tags=["decision"])]:
    """Put a promoted challenger into production, here and in ZenML's model control plane, and report the run."""
    from tracking import registry
    from tracking.promotion_gate import settled_tag
    from tracking.promotions import ProductionMovedError, promote

    context, challenger = get_step_context(), decision.challenger_version
    if decision.promoted and challenger:
        mirror = context.model
        registry.tag(
            model_name,
            challenger,
            {"bento_tag": bento.tag or "", "mirror": str(mirror.version), "bento_run": context.pipeline_run.name},
        )
        try:
            promote(model_name, challenger, decision.reason, against=champion.number if champion else None)
        except ProductionMovedError as error:
            decision = decision.model_copy(update={"promoted": False, "reason": str(error), "question": None})
        else:
            mirror.set_stage("production", force=True)
            log_metadata(metadata={"mlflow_version": challenger, "bento_tag": bento.tag or ""}, infer_model=True)
    if decision.question and challenger:
        # Not before this point: a run that died earlier is decided again from the start.
        registry.tag(model_name, challenger, {settled_tag(decision.question): decision.verdict})
    outcome = Outcome.of(data_report, data_profile, evaluation, decision, registry.by_alias(model_name, PRODUCTION))
    run = context.pipeline_run.id
    log_metadata(metadata={**outcome.summary()}, run_id_name_or_prefix=run)
    add_tags(tags=["promoted" if outcome.promoted else "not promoted"], run=run)
    return outcome
