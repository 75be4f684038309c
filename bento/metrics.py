"""Metrics for Prometheus. Their labels are route templates and outcomes, never users, raw paths or text.

Several workers write into files of a folder that their service has for itself (prometheus_client's multiprocess mode);
the worker that answers /metrics adds them up. Import this module in a worker only: prometheus_client chooses the mode
when it is loaded.
"""

import os
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import Scope

from ledger.predictions import PredictionRecord
from web.gate import route_of

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_CONFIDENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)


class ServiceMetrics:
    """The metrics of one worker."""

    def __init__(self, *, multiprocess: bool) -> None:
        """`multiprocess`: prometheus_client's multiprocess mode is on, and /metrics covers all workers."""
        self._multiprocess = multiprocess
        self.registry = CollectorRegistry()
        if multiprocess:
            _drop_gauges_of_ended_workers()
        own: dict[str, Any] = {"registry": None if multiprocess else self.registry}
        self._requests = Counter("http_requests_total", "Requests", ["method", "route", "status"], **own)
        self._seconds = Histogram("http_request_duration_seconds", "Time to answer", ["route"], buckets=_SECONDS, **own)
        self._in_flight = Gauge("http_requests_in_flight", "Requests in flight", multiprocess_mode="livesum", **own)
        self._predictions = Counter("predictions_total", "Predictions by type", ["product_type", "language"], **own)
        self._abstained = Counter("predictions_abstained_total", "Predictions below the threshold", **own)
        self._novel = Counter("predictions_novel_total", "Predictions for listings unlike any learned", **own)
        self._confidence = Histogram("prediction_confidence_ratio", "Confidence", buckets=_CONFIDENCES, **own)
        self.feedback = Counter("feedback_total", "Corrections", ["role", "outcome"], **own)
        self.claims = Counter("review_claims_total", "Requests for a listing to review", ["outcome"], **own)
        self.logins = Counter("logins_total", "Attempts to log in", ["outcome"], **own)
        self.waiting = Gauge("ledger_records_waiting", "Predictions to be stored", multiprocess_mode="livesum", **own)
        # The value of the worker that checked last: a worker that never answered /readyz has none.
        self.ledger_up = Gauge(
            "ledger_up", "1: the database answered the last check", multiprocess_mode="livemostrecent", **own
        )
        self.model = Gauge(
            "model_info", "The model that is served", ["name", "version"], multiprocess_mode="livemax", **own
        )
        self.on_refusal: Callable[[Scope, int], None] | None = None  # gets each request that was answered 401 or 403
        self._request_counters: dict[tuple[str, str, int], Counter] = {}
        self._prediction_counters: dict[tuple[str, str], Counter] = {}
        self._route_timers: dict[str, Histogram] = {}

    def request_started(self) -> None:
        """Count a request in flight."""
        self._in_flight.inc()

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answered request (status 0: the client went away) and its time."""
        self._in_flight.dec()
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        key = method, route, status
        counter = self._request_counters.get(key)
        if counter is None:  # finding a counter by its labels takes longer than counting
            counter = self._request_counters[key] = self._requests.labels(method, route, str(status or "gone"))
        counter.inc()
        timer = self._route_timers.get(route)
        if timer is None:
            timer = self._route_timers[route] = self._seconds.labels(route)
        timer.observe(seconds)
        if status in _REFUSED and self.on_refusal:
            self.on_refusal(scope, status)

    def predictions(self, labels: Mapping[int, str], records: Iterable[PredictionRecord]) -> None:
        """Count stored predictions. `labels`: of the types, by code."""
        groups: Counts[tuple[int, str]] = Counts()
        abstained = novel = 0
        for record in records:
            groups[record.predicted_code, record.language] += 1
            abstained += record.abstained
            novel += record.novelty
            self._confidence.observe(record.confidence)
        for (code, language), number in groups.items():
            key = labels[code], language
            counter = self._prediction_counters.get(key)
            if counter is None:
                counter = self._prediction_counters[key] = self._predictions.labels(*key)
            counter.inc(number)
        if abstained:
            self._abstained.inc(abstained)
        if novel:
            self._novel.inc(novel)

    def page(self) -> bytes:
        """Return everything in Prometheus' text format."""
        registry = self.registry
        if self._multiprocess:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


_REFUSED = frozenset({401, 403})
_METHODS = frozenset({"GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT"})


def _drop_gauges_of_ended_workers() -> None:
    """Remove the gauges of ended workers from the sums. Their counters stay, since what they counted did happen."""
    for path in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("gauge_live*.db"):
        with suppress(ValueError):
            if not psutil.pid_exists(pid := int(path.stem.rsplit("_", 1)[-1])):
                mark_process_dead(pid)  # type: ignore[no-untyped-call]
