"""The tracker's run of a monitoring pipeline."""

import mlflow

from checks.monitoring_report import MonitoringReport

_QUALITY = ("agreement", "lower", "upper", "expected_agreement", "weighted_f1", "expected_weighted_f1")


def log_monitoring(report: MonitoringReport, page: str) -> None:
    """Log the figures of a report, the report and its page (HTML) to the active run of the tracker."""
    drift, quality = report.drift, report.quality
    figures: dict[str, float] = {"rows": drift.rows, "feedback_rows": quality.rows}
    figures |= {f"drift.{column.column}": column.score for column in drift.columns}
    if drift.text:
        figures["drift.text_auc"] = drift.text.auc
    figures |= {f"quality.{name}": value for name in _QUALITY if (value := getattr(quality, name)) is not None}
    mlflow.log_metrics(figures)
    mlflow.set_tags({"model_name": report.model_name, "model_version": report.model_version, "verdict": report.verdict})
    mlflow.log_dict(report.model_dump(mode="json"), "monitoring/report.json")
    mlflow.log_text(page, "monitoring/report.html")
