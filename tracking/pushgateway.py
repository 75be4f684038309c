"""What Prometheus learns of a monitoring run, by way of Pushgateway: only what was measured, and never a zero instead.

An absent series lets no alert fire; a zero would on every system where nothing has happened yet.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, push_to_gateway

from catalog.verdict import VERDICTS

JOB = "product_types_monitoring"
_PATIENCE = 5  # seconds
logger = logging.getLogger(__name__)


def push(report: Mapping[str, Any], now: float) -> str:
    """Push a report to the gateway in `PUSHGATEWAY_URL`, in place of the model's last one; return what came of it.

    `now`: seconds since 1970. A gateway that is away is a warning, and nothing more.
    """
    gateway = os.environ.get("PUSHGATEWAY_URL")
    if not gateway:
        return "not pushed: PUSHGATEWAY_URL is not set"
    registry = registry_of(report, now)
    try:
        push_to_gateway(gateway, JOB, registry, grouping_key={"model_name": report["model_name"]}, timeout=_PATIENCE)
    except (OSError, ValueError) as error:  # ValueError: no address
        logger.warning("The Pushgateway cannot be reached (%s): the metrics of this run were not pushed", error)
        return f"not pushed: the Pushgateway cannot be reached ({type(error).__name__})"
    return "pushed"


def registry_of(report: Mapping[str, Any], now: float) -> CollectorRegistry:
    """Return the metrics of a report; the model's name is the grouping key and thereby a label of all of them."""
    registry = CollectorRegistry()
    drift, quality = report["drift"], report["quality"]
    version = {"model_version": report["model_version"]}

    def gauge(name: str, help_text: str, value: float | None, **labels: str) -> None:
        if value is not None:
            every = {**version, **labels}
            known = gauges.get(name) or gauges.setdefault(name, Gauge(name, help_text, list(every), registry=registry))
            known.labels(**every).set(value)

    gauges: dict[str, Gauge] = {}
    for verdict in VERDICTS:
        gauge(
            "monitoring_verdict", "1 for the verdict that holds", float(verdict == report["verdict"]), verdict=verdict
        )
    finished = Gauge("monitoring_last_success_timestamp_seconds", "When a run last finished", registry=registry)
    finished.set(now)
    gauge("monitoring_current_rows", "Predictions in the current window", report["window"]["rows"])
    gauge("monitoring_reference_rows", "Listings in the reference window", report["window"]["reference_rows"])
    gauge("monitoring_feedback_rows", "Reviewed predictions in the current window", quality["rows"])
    for column in drift["columns"]:
        gauge("monitoring_drift_score", "Distance from the reference", column["score"], column=column["column"])
    if drift["columns"]:
        count = sum(column["drifted"] for column in drift["columns"])
        gauge("monitoring_drifted_columns", "Columns that drifted", count)
    if drift["text"]:
        gauge("monitoring_text_drift_auc_ratio", "AUC of the domain classifier", drift["text"]["auc"])
    for name, key, help_text in (
        ("weighted_f1", "weighted_f1", "Weighted F1, by reviewed feedback"),
        ("agreement", "agreement", "Share of right answers, by reviewed feedback"),
        ("agreement_lower", "lower", "Lower bound of the agreement, 95 %"),
        ("agreement_upper", "upper", "Upper bound of the agreement, 95 %"),
        ("expected_f1", "expected_weighted_f1", "Weighted F1 on held-out listings"),
        ("expected_agreement", "expected_agreement", "Share of right answers on held-out listings"),
    ):
        gauge(f"monitoring_quality_{name}_ratio", help_text, quality[key])
    for entry in quality["per_type"]:
        gauge(
            "monitoring_quality_precision_ratio", "Precision by type, on reviewed predictions", entry["precision"],
            product_type=entry["label"],
        )  # fmt: skip
    return registry
