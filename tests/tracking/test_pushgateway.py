"""The metrics that are pushed: what was measured, and nothing in place of what was not."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from prometheus_client import generate_latest

from catalog.agreement import Quality, TypePrecision
from checks.drift import ColumnDrift, Drift, TextDrift
from checks.monitoring_report import MonitoringReport, ReportedWindow
from tracking.pushgateway import metrics_of, push, report_release

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUALITY = Quality(verdict="insufficient_data", reason="none", rows=0)
DRIFT = Drift(verdict="insufficient_data", reason="none", rows=0, distinct_rows=0, reference_rows=400)


def report(drift: Drift = DRIFT, quality: Quality = QUALITY) -> MonitoringReport:
    window = ReportedWindow(since=NOW, until=NOW, maximum_rows=10, rows=0, distinct_rows=0, reference_rows=400)
    return MonitoringReport(
        run="run", at=NOW, model_name="shop", model_version="3", verdict="insufficient_data", reasons=(), window=window,
        drift=drift, quality=quality,
    )  # fmt: skip


def test_what_was_not_measured_has_no_series() -> None:
    text = generate_latest(metrics_of(report())).decode()
    assert 'monitoring_verdict{model_version="3",verdict="insufficient_data"} 1.0' in text
    assert 'monitoring_verdict{model_version="3",verdict="drift"} 0.0' in text
    for name in ("quality", "drift_score", "drifted_columns", "text_drift"):
        assert f"monitoring_{name}" not in text


def test_what_was_measured_has_its_figure() -> None:
    column: dict[str, Any] = {"method": "jensenshannon", "threshold": 0.1, "noise": 0.1, "drifted": True}
    types = tuple(
        TypePrecision(code=code, label=label, rows=9, precision=precision, lower=0, upper=1)
        for code, label, precision in ((10, "Books", 0.5), (40, "Toys", 1.0))
    )
    drift = DRIFT.model_copy(
        update={
            "columns": (ColumnDrift(column="language", score=0.3, **column),),
            "text": TextDrift(auc=0.7, noise=0.6, rows=400, verdict="warning", telling=()),
        }
    )
    quality = QUALITY.model_copy(update={"agreement": 0.9, "upper": 0.95, "rows": 60, "per_type": types})
    text = generate_latest(metrics_of(report(drift, quality))).decode()
    assert 'monitoring_drift_score{column="language",model_version="3"} 0.3' in text
    assert 'monitoring_drifted_columns{model_version="3"} 1.0' in text
    assert 'monitoring_quality_agreement_upper_ratio{model_version="3"} 0.95' in text
    assert 'monitoring_quality_precision_ratio{model_version="3",product_type="Toys"} 1.0' in text
    assert "monitoring_last_success_timestamp_seconds 1.7672256e+09" in text
    assert "monitoring_quality_weighted_f1_ratio" not in text


def test_without_an_address_nothing_is_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUSHGATEWAY_URL", raising=False)
    assert push(report()) == "not pushed: PUSHGATEWAY_URL is not set"


def test_a_version_that_is_not_served_is_told_to_the_gateway_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str]] = []

    class Gateway(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            asked.append((self.command, self.path, body))
            self.send_response(202)
            self.end_headers()

        do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PUSHGATEWAY_URL", f"http://127.0.0.1:{server.server_port}")
        report_release("shop", "3")
        report_release("shop", None)
        server.shutdown()
    (put, delete), path = asked, "/metrics/job/product_types_release/model_name/shop"
    assert (put[:2], delete[:2]) == (("PUT", path), ("DELETE", path))
    assert 'release_refused{model_version="3"} 1.0' in put[2]
    report_release("shop", "3")  # nobody answers there any more: a warning
