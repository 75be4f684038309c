"""The series and labels that PromQL expressions use, and those that the programs of this project define."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from bento.metrics import ServiceMetrics
from monitoring.entries import RetrainingEnd
from monitoring.grafana.dashboards import FOLDER
from monitoring.journal import Journal
from monitoring.metrics import MonitorMetrics
from monitoring.report_folder import ReportFolder
from tests.monitoring.engines import CONFIGURATION
from tests.reports.values import a_monitoring_report
from tracking.pushgateway import metrics_of, metrics_of_refusal

RULES = CONFIGURATION / "prometheus" / "rules.yml"
_FOREIGN = {  # Prometheus' own and the blackbox exporter's
    "up": {"job", "instance"},
    "ALERTS": {"alertname", "alertstate", "action"},
    "probe_success": {"job", "instance"},
    "probe_duration_seconds": {"job", "instance"},
}
_TARGET = {"job", "instance"}  # labels that a scrape adds
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()\b")


def recorded() -> dict[str, str]:
    """Return the expressions of the recording rules by name."""
    return {rule["record"]: rule["expr"] for rule in _rules() if "record" in rule}


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerting rules by name."""
    return {rule["alert"]: rule for rule in _rules() if "alert" in rule}


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard that show something."""
    yield from (panel for panel in board["panels"] if panel["type"] != "row")


def queries() -> dict[str, str]:
    """Return the queries of all dashboards, by dashboard, panel and number, from the committed files."""
    import json

    return {
        f"{path.stem}: {panel['title']} {number}": target["expr"]
        for path in sorted(FOLDER.glob("*.json"))
        for panel in panels(json.loads(path.read_text(encoding="utf-8")))
        for number, target in enumerate(panel["targets"], start=1)
    }


def series_in(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield the series that an expression names, with the labels that it selects them by."""
    text = re.sub(r'"[^"]*"', '""', expression)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
    text = re.sub(r"\[[^\]]*\]", " ", text)
    for found in re.finditer(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\(|\{[^}]*\})?", text):
        name, follows = found[1], found[2] or ""
        if follows == "(" or name in _WORDS or (found.start() and text[found.start() - 1].isdigit()):
            continue
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", follows))


def defined(folder: Path) -> dict[str, set[str]]:
    """Return every series that can be there, with its labels: those of the programs, which are made to show all."""
    known = {name: set(labels) for name, labels in _FOREIGN.items()}
    for registry in (_service(), metrics_of(a_monitoring_report()), metrics_of_refusal("3")):
        for metric in registry.collect():
            for sample in metric.samples:
                known.setdefault(sample.name, set(_TARGET)).update(sample.labels)
    for name in [name for name in known if name.startswith("monitoring_")]:
        known[name].add("model_name")  # the key under which they are pushed
    for family in text_string_to_metric_families(_watch(folder)):
        for sample in family.samples:
            known.setdefault(sample.name, set(_TARGET)).update(sample.labels)
    return known


def _rules() -> Iterable[dict[str, Any]]:
    content = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def _service() -> CollectorRegistry:
    """The metrics of the prediction service, each used once."""
    metrics = ServiceMetrics(multiprocess=False)
    for family in list(metrics.registry._names_to_collectors.values()):
        if names := getattr(family, "_labelnames", ()):
            family.labels(*names)  # type: ignore[attr-defined]
    return metrics.registry


def _watch(folder: Path) -> str:
    """The monitor service's metrics after a report and a retraining."""
    (folder / "latest.json").write_text("{}")
    journal = Journal(folder / "journal.db")
    end = RetrainingEnd(at=datetime(2026, 1, 1, tzinfo=UTC), retraining="a", outcome="refused", reason="not better")
    journal.append(end)
    try:
        return MonitorMetrics(journal, ReportFolder(folder)).page().decode()
    finally:
        journal.close()
