"""The rules pass promtool and their unit tests, and their texts have what is needed."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from monitoring.decisions import ACTION, RETRAIN
from tests.monitoring.engines import CONFIGURATION, run
from tests.monitoring.metric_names import RULES, alerts

TESTS = ("rules_test.yml", "rules_days_test.yml")
# Parts of the rules that hold back false alerts. Each is removed in turn, and then a unit test of the rules must fail.
GUARDS = {
    "errors among few requests fire": ("and instance:http_requests:increase5m >= 50", ""),
    "few slow requests fire": ('and route:http_requests:increase5m{job="predictions", route="/predict"} >= 100', ""),
    "probes count as requests": (', route!~"/metrics|/health|/livez|/readyz"', ""),
    "a verdict on few rows retrains": ("monitoring_current_rows >= 50 or", "monitoring_current_rows >= 0 or"),
    "little feedback retrains": ("monitoring_feedback_rows >= 10\n", "monitoring_feedback_rows >= 0\n"),
    "an old verdict retrains": ("time() - monitoring_last_success_timestamp_seconds < 93600", "vector(1)"),
    "an outage of the gateway turns one alert into two": ("        keep_firing_for: 10m\n", ""),
    "a service without requests has no database": ('and on (instance) probe_success{job="ready"} == 0', ""),
    "a part that never ran fires": ('and max_over_time(up{job=~"watch|pushgateway|health"}[1d]) == 1', ""),
}


def test_promtool_accepts_the_rules() -> None:
    checked = run("promtool", "check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", TESTS)
def test_the_rules_pass_their_unit_tests(name: str) -> None:
    tested = run("promtool", "test", "rules", RULES.parent / name)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.monitoring
@pytest.mark.parametrize("harm", GUARDS)
def test_the_unit_tests_fail_without_a_guard(harm: str, tmp_path: Path) -> None:
    guard, instead = GUARDS[harm]
    text = RULES.read_text(encoding="utf-8")
    assert guard in text
    for name in TESTS:
        shutil.copy(RULES.parent / name, tmp_path)
    (tmp_path / "rules.yml").write_text(text.replace(guard, instead), encoding="utf-8")
    assert run("promtool", "check", "rules", tmp_path / "rules.yml").returncode == 0
    assert any(run("promtool", "test", "rules", tmp_path / name).returncode for name in TESTS)


@pytest.mark.parametrize("apart", [False, True])
def test_promtool_accepts_the_scrapes_with_and_without_an_auth_service(apart: bool, tmp_path: Path) -> None:
    shutil.copytree(CONFIGURATION / "prometheus", tmp_path / "monitoring" / "prometheus")
    (tmp_path / ".state").mkdir()
    (tmp_path / ".state" / "metrics-token").touch()
    path = tmp_path / "monitoring" / "prometheus" / "prometheus.yml"
    if apart:
        commented = re.compile(r"^  # (- job_name: auth|  .+)$", re.MULTILINE)
        path.write_text(commented.sub(r"  \1", path.read_text(encoding="utf-8")), encoding="utf-8")
    checked = run("promtool", "check", "config", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    jobs = {job["job_name"]: job for job in yaml.safe_load(path.read_text(encoding="utf-8"))["scrape_configs"]}
    assert ("auth" in jobs) == apart
    for name in {"predictions", "watch", "auth"} & set(jobs):
        assert jobs[name]["authorization"] == {"credentials_file": "../../.state/metrics-token"}
    assert jobs["pushgateway"]["honor_labels"] is True


@pytest.mark.parametrize("name", alerts())
def test_every_alert_has_a_severity_and_a_next_command(name: str) -> None:
    rule = alerts()[name]
    assert rule["for"]
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert re.search(r"python run\.py \w+|curl |docker compose ", rule["annotations"]["runbook"])


def test_only_drift_and_quality_retrain() -> None:
    retrains = {name for name, rule in alerts().items() if rule["labels"].get(ACTION) == RETRAIN}
    assert retrains == {"ModelDrift", "ModelQualityDrop"}


def test_every_alert_has_a_unit_test_in_which_it_fires() -> None:
    fires: set[str] = set()
    for case in (case for name in TESTS for case in yaml.safe_load((RULES.parent / name).read_text())["tests"]):
        fires |= {each["alertname"] for each in case.get("alert_rule_test", []) if each.get("exp_alerts")}
        samples = [sample for each in case.get("promql_expr_test", []) for sample in each["exp_samples"]]
        fires |= {name for sample in samples for name in re.findall(r'alertname="(\w+)"', sample["labels"])}
    assert fires == set(alerts())


def test_the_margin_of_quality_is_that_of_the_pipeline() -> None:
    config = yaml.safe_load((CONFIGURATION.parent / "pipelines" / "configs" / "monitoring.yaml").read_text())
    margin = config["quality"]["drift_margin"]
    assert f"monitoring_quality_expected_agreement_ratio - {margin:g}" in alerts()["ModelQualityDrop"]["expr"]
