"""What Prometheus reads of the monitor service. What has not happened yet is absent, never 0."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from catalog.verdict import VERDICTS
from monitoring.entries import AlertVerdict, RetrainingOutcome
from monitoring.journal import Journal
from monitoring.report_folder import ReportFolder
from monitoring.rounds import FAILED


class Instruments:
    """Counts what happens; what is known from the disk is read when it is asked for."""

    def __init__(self, journal: Journal, folder: ReportFolder) -> None:
        self._registry = CollectorRegistry()
        self.runs = Counter(
            "watch_monitoring_runs_total", "Runs of the monitoring pipeline", ["outcome"], registry=self._registry
        )
        self.alerts = Counter("watch_alerts_total", "Alerts by decision", ["decision"], registry=self._registry)
        self.retrainings = Counter("retraining_total", "Retrainings", ["outcome"], registry=self._registry)
        # From the start, so that the first event is an increase.
        for counter, values in (
            (self.runs, (*VERDICTS, FAILED)),
            (self.alerts, get_args(AlertVerdict)),
            (self.retrainings, get_args(RetrainingOutcome)),
        ):
            for value in values:
                counter.labels(value)
        self._registry.register(_Standing(journal, folder))

    def page(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Standing(Collector):
    """How things stand, also after a restart."""

    def __init__(self, journal: Journal, folder: ReportFolder) -> None:
        self._journal = journal
        self._folder = folder

    def collect(self) -> Iterable[GaugeMetricFamily]:
        running = 0 if self._journal.unfinished is None else 1
        yield GaugeMetricFamily("retraining_running", "1: a retraining is under way", running)
        if written := self._folder.latest_written_at():
            yield GaugeMetricFamily(
                "watch_last_report_timestamp_seconds", "When the latest report was written", written
            )
        if last := self._journal.last_end:
            outcomes = GaugeMetricFamily("retraining_last_outcome", "1: how the last one ended", labels=["outcome"])
            for outcome in get_args(RetrainingOutcome):
                outcomes.add_metric([outcome], float(outcome == last.outcome))
            yield outcomes
            ended = last.at.timestamp()
            yield GaugeMetricFamily("retraining_last_finish_timestamp_seconds", "When the last one ended", ended)
