"""What goes to Prometheus by way of the Pushgateway: the metrics of a monitoring run, and a version that is not served.

Only what was measured is pushed, never 0 instead: a missing series fires no alert, and a 0 would fire on every system
where nothing has happened yet.
"""

import logging
import os

from prometheus_client import CollectorRegistry, Gauge, delete_from_gateway, push_to_gateway

from catalog.verdict import VERDICTS
from checks.monitoring_report import MonitoringReport

JOB = "product_types_monitoring"
RELEASE_JOB = "product_types_release"
_TIMEOUT = 5  # seconds
logger = logging.getLogger(__name__)


def push(report: MonitoringReport) -> str:
    """Push a report to the gateway in `PUSHGATEWAY_URL`, where it replaces the model's last one; return what happened.

    A gateway that cannot be reached is a warning, not an error.
    """
    gateway = os.environ.get("PUSHGATEWAY_URL")
    if not gateway:
        return "not pushed: PUSHGATEWAY_URL is not set"
    try:
        push_to_gateway(
            gateway, JOB, metrics_of(report), grouping_key={"model_name": report.model_name}, timeout=_TIMEOUT
        )
    except (OSError, ValueError) as error:  # ValueError: no address
        logger.warning("The Pushgateway cannot be reached (%s): the metrics of this run were not pushed", error)
        return f"not pushed: the Pushgateway cannot be reached ({type(error).__name__})"
    return "pushed"


def report_release(model_name: str, refused: str | None) -> None:
    """Tell the gateway in `PUSHGATEWAY_URL`, if it is set, which version is in production and cannot be served.

    `refused`: the version's number, or None when the version in production is served. A gateway that cannot be reached
    is a warning.
    """
    gateway = os.environ.get("PUSHGATEWAY_URL")
    if not gateway:
        return
    group = {"model_name": model_name}
    try:
        if refused is None:
            delete_from_gateway(gateway, RELEASE_JOB, group, timeout=_TIMEOUT)
            return
        push_to_gateway(gateway, RELEASE_JOB, metrics_of_refusal(refused), group, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:  # ValueError: no address
        logger.warning("The Pushgateway cannot be reached (%s): it does not know what is served", error)


def metrics_of_refusal(version: str) -> CollectorRegistry:
    """Return the metrics of a version that is not served."""
    registry = CollectorRegistry()
    gauge = Gauge("release_refused", "1 for a version that is not served", ["model_version"], registry=registry)
    gauge.labels(version).set(1)
    return registry


def metrics_of(report: MonitoringReport) -> CollectorRegistry:
    """Return the metrics of a report. The model's name is the grouping key, and so a label of all of them."""
    registry = CollectorRegistry()
    drift, quality = report.drift, report.quality
    gauges: dict[str, Gauge] = {}

    def gauge(name: str, help_text: str, value: float | None, **labels: str) -> None:
        if value is not None:
            every = {"model_version": report.model_version, **labels}
            known = gauges.get(name) or gauges.setdefault(name, Gauge(name, help_text, list(every), registry=registry))
            known.labels(**every).set(value)

    for verdict in VERDICTS:
        gauge("monitoring_verdict", "1 for the current verdict", float(verdict == report.verdict), verdict=verdict)
    finished = Gauge("monitoring_last_success_timestamp_seconds", "When a run last finished", registry=registry)
    finished.set(report.at.timestamp())
    gauge("monitoring_current_rows", "Predictions in the current window", report.window.rows)
    gauge("monitoring_reference_rows", "Listings in the reference window", report.window.reference_rows)
    gauge("monitoring_feedback_rows", "Reviewed predictions in the current window", quality.rows)
    for column in drift.columns:
        gauge("monitoring_drift_score", "Distance from the reference", column.score, column=column.column)
    if drift.columns:
        count = sum(column.drifted for column in drift.columns)
        gauge("monitoring_drifted_columns", "Columns that drifted", count)
    if drift.text:
        gauge("monitoring_text_drift_auc_ratio", "AUC of the domain classifier", drift.text.auc)
    for name, value, help_text in (
        ("weighted_f1", quality.weighted_f1, "Weighted F1, by reviewed feedback"),
        ("agreement", quality.agreement, "Share of right answers, by reviewed feedback"),
        ("agreement_lower", quality.lower, "Lower bound of the agreement, 95 %"),
        ("agreement_upper", quality.upper, "Upper bound of the agreement, 95 %"),
        ("expected_f1", quality.expected_weighted_f1, "Weighted F1 on held-out listings"),
        ("expected_agreement", quality.expected_agreement, "Share of right answers on held-out listings"),
    ):
        gauge(f"monitoring_quality_{name}_ratio", help_text, value)
    for entry in quality.per_type:
        gauge(
            "monitoring_quality_precision_ratio", "Precision by type, on reviewed predictions", entry.precision,
            product_type=entry.label,
        )  # fmt: skip
    return registry
