"""The last step of monitoring: the verdict, told everywhere that somebody may look."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import ArtifactConfig, get_step_context, log_metadata, step
from zenml.types import HTMLString


@step(enable_cache=False, experiment_tracker=True)
def publish_verdict(
    windows: dict[str, Any], drift: dict[str, Any], quality: dict[str, Any]
) -> tuple[
    Annotated[dict[str, Any], ArtifactConfig(name="monitoring_report", tags=["monitoring"])],
    Annotated[HTMLString, ArtifactConfig(name="monitoring_page", tags=["monitoring"])],
]:
    """Put drift and quality together, for the dashboard, the tracker and Prometheus."""
    from steps.monitoring_page import monitoring_page
    from steps.pushgateway import push

    now = datetime.now(UTC)
    verdict, reasons = decide_verdict(drift, quality)
    report = {
        "run": get_step_context().pipeline_run.name,
        "at": now.isoformat(timespec="seconds"),
        "model_name": windows["model_name"],
        "model_version": windows["model_version"],
        "verdict": verdict,
        "reasons": reasons,
        "window": {
            **{key: windows[key] for key in ("since", "until", "maximum_rows")},
            **{key: drift[key] for key in ("rows", "distinct_rows", "reference_rows")},
        },
        "drift": drift,
        "quality": quality,
    }
    page = monitoring_page(report)
    report["pushgateway"] = push(report, now.timestamp())
    _log_to_tracker(report, page)
    log_metadata(metadata={"verdict": verdict}, artifact_name="monitoring_report", infer_artifact=True)
    return report, HTMLString(page)


def decide_verdict(drift: Mapping[str, Any], quality: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the verdict, the worse one of what could be measured, and the sentences that explain it.

    Without enough traffic there is nothing to call ok; but people who see wrong answers are heard even then.
    """
    reasons = [f"Drift: {drift['reason']}.", f"Quality: {quality['reason']}."]
    worse = [entry["verdict"] for entry in (drift, quality) if entry["verdict"] in ("warning", "drift")]
    verdict = "drift" if "drift" in worse else "warning" if worse else drift["verdict"]
    for giver in quality["givers"]:
        weight = "which decides" if giver["decides"] else "which decides nothing"
        reasons.append(
            f"{giver['username']} ({giver['role']}) gave {giver['rows']:,} words and disagrees with "
            f"{giver['disagreement']:.0%} of the answers, {weight}."
        )
    return verdict, reasons


def _log_to_tracker(report: Mapping[str, Any], page: str) -> None:
    import mlflow

    drift, quality = report["drift"], report["quality"]
    figures = {"rows": drift["rows"], "feedback_rows": quality["rows"]}
    figures |= {f"drift.{column['column']}": column["score"] for column in drift["columns"]}
    if drift["text"]:
        figures["drift.text_auc"] = drift["text"]["auc"]
    keys = ("agreement", "lower", "upper", "expected_agreement", "weighted_f1", "expected_weighted_f1")
    figures |= {f"quality.{key}": quality[key] for key in keys if quality[key] is not None}
    mlflow.log_metrics(figures)
    mlflow.set_tags({key: report[key] for key in ("model_name", "model_version", "verdict")})
    mlflow.log_dict(dict(report), "monitoring/report.json")
    mlflow.log_text(page, "monitoring/report.html")
