"""The metrics of the monitor service for Prometheus. What has not happened yet is absent, never 0."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from catalog.verdict import VERDICTS
from monitoring.entries import AlertVerdict, RetrainingOutcome
from monitoring.journal import Journal
from monitoring.loop import FAILED
from monitoring.report_folder import ReportFolder


class MonitorMetrics:
    """Counters of this process, and gauges that are read from the journal and the report folder."""

    def __init__(self, journal: Journal, folder: ReportFolder) -> None:
        self._registry = CollectorRegistry()
        self.runs = Counter(
            "watch_monitoring_runs_total", "Runs of the monitoring pipeline", ["outcome"], registry=self._registry
        )
        self.alerts = Counter("watch_alerts_total", "Alerts by decision", ["decision"], registry=self._registry)
        self.retrainings = Counter("retraining_total", "Retrainings", ["outcome"], registry=self._registry)
        # They start at 0, so that Prometheus sees the first event as an increase.
        for counter, values in (
            (self.runs, (*VERDICTS, FAILED)),
            (self.alerts, get_args(AlertVerdict)),
            (self.retrainings, get_args(RetrainingOutcome)),
        ):
            for value in values:
                counter.labels(value)
        self._registry.register(_StoredState(journal, folder))

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _StoredState(Collector):
    """Gauges of what is on the disk: they are right also after a restart."""

    def __init__(self, journal: Journal, folder: ReportFolder) -> None:
        self._journal = journal
        self._folder = folder

    def collect(self) -> Iterable[GaugeMetricFamily]:
        running = 0 if self._journal.unfinished is None else 1
        yield GaugeMetricFamily("retraining_running", "1: a retraining is under way", running)
        if written := self._folder.latest_written_at():
            name = "watch_last_report_timestamp_seconds"
            yield GaugeMetricFamily(name, "When the latest report was written", written)
        if last := self._journal.last_end:
            outcomes = GaugeMetricFamily(
                "retraining_last_outcome", "1: how the last retraining ended", labels=["outcome"]
            )
            for outcome in get_args(RetrainingOutcome):
                outcomes.add_metric([outcome], float(outcome == last.outcome))
            yield outcomes
            name, ended = "retraining_last_finish_timestamp_seconds", last.at.timestamp()
            yield GaugeMetricFamily(name, "When the last retraining ended", ended)
