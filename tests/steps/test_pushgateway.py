"""What Prometheus learns: what was measured, and nothing in place of what was not."""

from typing import Any

from prometheus_client import generate_latest

from steps.publish import decide_verdict
from steps.pushgateway import push, registry_of

QUALITY: dict[str, Any] = {
    "verdict": "insufficient_data", "reason": "none", "rows": 0, "agreement": None, "lower": None, "upper": None,
    "expected_agreement": None, "weighted_f1": None, "expected_weighted_f1": None, "per_type": [], "givers": [],
}  # fmt: skip
DRIFT: dict[str, Any] = {"verdict": "insufficient_data", "reason": "none", "columns": [], "text": None}


def report(**changes: Any) -> dict[str, Any]:
    window = {"rows": 0, "reference_rows": 400}
    return {
        "model_name": "shop", "model_version": "3", "verdict": "insufficient_data", "window": window, "drift": DRIFT,
        "quality": QUALITY, **changes,
    }  # fmt: skip


def test_what_was_not_measured_has_no_series() -> None:
    text = generate_latest(registry_of(report(), 1.0)).decode()
    assert 'monitoring_verdict{model_version="3",verdict="insufficient_data"} 1.0' in text
    assert 'monitoring_verdict{model_version="3",verdict="drift"} 0.0' in text
    for name in ("quality", "drift_score", "drifted_columns", "text_drift"):
        assert f"monitoring_{name}" not in text


def test_what_was_measured_has_its_figure() -> None:
    types = [{"label": "Books", "precision": 0.5}, {"label": "Toys", "precision": 1.0}]
    drift = {**DRIFT, "columns": [{"column": "language", "score": 0.3, "drifted": True}], "text": {"auc": 0.7}}
    quality = {**QUALITY, "agreement": 0.9, "upper": 0.95, "rows": 60, "per_type": types}
    text = generate_latest(registry_of(report(drift=drift, quality=quality), 1.0)).decode()
    assert 'monitoring_drift_score{column="language",model_version="3"} 0.3' in text
    assert 'monitoring_drifted_columns{model_version="3"} 1.0' in text
    assert 'monitoring_quality_agreement_upper_ratio{model_version="3"} 0.95' in text
    assert 'monitoring_quality_precision_ratio{model_version="3",product_type="Toys"} 1.0' in text
    assert "monitoring_quality_weighted_f1_ratio" not in text


def test_without_an_address_nothing_is_pushed(monkeypatch: Any) -> None:
    monkeypatch.delenv("PUSHGATEWAY_URL", raising=False)
    assert push(report(), 1.0) == "not pushed: PUSHGATEWAY_URL is not set"


def test_the_worse_verdict_holds_and_bad_quality_is_heard_without_traffic() -> None:
    for drift, quality, expected in (
        ("ok", "ok", "ok"), ("ok", "insufficient_data", "ok"), ("insufficient_data", "ok", "insufficient_data"),
        ("warning", "ok", "warning"), ("warning", "drift", "drift"), ("drift", "ok", "drift"),
        ("insufficient_data", "drift", "drift"),
    ):  # fmt: skip
        verdict, _ = decide_verdict({**DRIFT, "verdict": drift}, {**QUALITY, "verdict": quality})
        assert verdict == expected
