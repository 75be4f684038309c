"""The last step: only now do aliases move."""

from typing import Annotated, Any

from zenml import ArtifactConfig, get_step_context, log_metadata, step

from steps.materializers import PackagedBento


@step(enable_cache=False, experiment_tracker=True)
def promote_classifier(
    decision: dict[str, Any],
    evaluation: dict[str, Any],
    data_profile: dict[str, Any],
    data_report: dict[str, Any],
    bento: PackagedBento,
    model_name: str,
) -> Annotated[dict[str, Any], ArtifactConfig(name="outcome", tags=["promotion"])]:
    """Put a promoted challenger into production, mirror it in the model control plane, and report the run."""
    from steps import registry

    context = get_step_context()
    challenger = decision["challenger_version"]
    if decision["promoted"]:
        mirror = context.model
        registry.tag(
            model_name,
            challenger,
            {"bento_tag": bento.tag or "", "mirror": str(mirror.version), "bento_run": context.pipeline_run.name},
        )
        registry.promote(model_name, challenger, decision["reason"])
        mirror.set_stage("production", force=True)
        log_metadata(metadata={"mlflow_version": challenger, "bento_tag": bento.tag or ""}, infer_model=True)
    if decision["settled"]:
        # Only now: a run that died before this point is asked again from the start.
        registry.tag(model_name, challenger, {"settled": decision["settled"]})
    return {
        "contract": data_report["verdict"],
        "contract_warnings": [finding["name"] for finding in data_report["findings"] if not finding["passed"]],
        "rows": data_profile["rows"],
        "data_hash": data_profile["data_hash"],
        "weighted_f1": evaluation["weighted_f1"],
        "weighted_f1_interval": evaluation["weighted_f1_interval"],
        "macro_f1": evaluation["macro_f1"],
        "ece": evaluation["expected_calibration_error"],
        "champion_weighted_f1": decision["champion_weighted_f1"],
        "promoted": decision["promoted"],
        "reason": decision["reason"],
        "model_version": bento.model_version,
        "bento_tag": bento.tag,
    }
