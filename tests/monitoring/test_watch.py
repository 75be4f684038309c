"""The monitor service in this process: access, answers, metrics and pages."""

from pathlib import Path

import pytest

from monitoring.authentication import MAX_BODY_BYTES
from monitoring.settings import MonitorSettings
from reports.rendering import script_source
from tests.monitoring.serving import ALERTS, METRICS, READING, TOKENS, Service, Start
from tests.monitoring.watching import alert, failing_writes, python, webhook
from tests.system.workspace import wait_for
from web.settings import SettingsError

TAKING_TURNS = """
import json, pathlib, sys, time
report = pathlib.Path(sys.argv[-1])
runs, busy = report.with_name("runs.txt"), report.with_name("busy")
busy.touch(exist_ok=False)
number = len(runs.read_text()) if runs.exists() else 0
runs.write_text("x" * (number + 1))
time.sleep(0.1)
busy.unlink()
if number == 0:
    sys.exit("error: the ledger does not answer")
report.write_text(json.dumps({"verdict": "warning"}))
"""


EVERYTHING = [
    ("GET", "/"), ("GET", "/metrics"), ("POST", "/alerts"), ("GET", "/history"), ("GET", "/decisions"),
    ("GET", "/reports/latest"), ("GET", "/reports/x.json"), ("GET", "/nowhere"), ("GET", "/docs"), ("GET", "//health"),
    ("GET", "/verdicts"), ("GET", "/timeline"), ("GET", "/retraining"), ("GET", "/models"), ("GET", "/models/1"),
    ("GET", "/models/compare"), ("POST", "/retrain"), ("POST", "/rollback"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_everything_but_health_needs_its_token(service: Service, method: str, path: str) -> None:
    assert service.client.get("/health").json() == {"status": "ok"}
    for headers in (
        {},
        {"Authorization": f"Bearer {'x' * 40}"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic ="},
    ):
        answer = service.client.request(method, f"http://testserver{path}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith(
            "Bearer" if path == "/metrics" or method == "POST" else "Basic"
        )


@pytest.mark.parametrize(
    ("path", "own"), [("/metrics", METRICS), ("/alerts", ALERTS), ("/", READING), ("/history", READING)]
)
def test_each_token_gives_access_to_its_own_paths_only(service: Service, path: str, own: dict[str, str]) -> None:
    for headers in (METRICS, ALERTS, READING):
        status = service.client.get(path, headers=headers).status_code
        assert (status != 401) == (headers is own)


def test_a_browser_may_give_the_token_as_a_password(service: Service) -> None:
    assert service.client.get("/", auth=("anybody", TOKENS.reports)).status_code == 200
    assert service.client.get("/", auth=("anybody", TOKENS.alerts)).status_code == 401
    assert service.client.post("/alerts", json=webhook(), auth=("anybody", TOKENS.alerts)).status_code == 401


def test_the_same_alert_ten_times_is_one_retraining_which_is_counted_and_shown(service: Service) -> None:
    assert "retraining_last_outcome{" not in service.metrics()
    decisions = [service.send(alert(job="x<script>alert(1)</script>", alertname="<b>Drift"))[0] for _ in range(10)]
    assert decisions == ["started"] + ["duplicate"] * 9
    wait_for("the retraining has ended", lambda: service.journal.last_end is not None)
    metrics = service.metrics()
    for line in (
        'watch_alerts_total{decision="started"} 1.0',
        'watch_alerts_total{decision="duplicate"} 9.0',
        'retraining_total{outcome="refused"} 1.0',
        'retraining_total{outcome="failed"} 0.0',
        'retraining_last_outcome{outcome="refused"} 1.0',
        "retraining_running 0.0",
    ):
        assert line in metrics.splitlines()
    assert "retraining_last_finish_timestamp_seconds 1." in metrics
    shown = service.read("/decisions").json()
    assert [entry["outcome"] for entry in shown["retrainings"]] == ["refused"]
    assert len(shown["decisions"]) == 10
    page = service.read("/")
    assert "not better" in page.text
    assert "&lt;b&gt;Drift" in page.text
    assert "<b>Drift" not in page.text
    log = service.read(f"/reports/{shown['retrainings'][0]['log']}")
    assert (log.status_code, log.headers["content-type"]) == (200, "text/plain; charset=utf-8")


def test_the_webhook_does_not_wait_for_the_retraining(start: Start) -> None:
    service = start(python("import time; time.sleep(600)"))
    assert service.send(alert("aa"), alert("bb")) == ["started", "already_running"]
    assert "retraining_running 1.0" in service.metrics()
    assert "under way" in service.read("/").text


def test_an_interrupted_retraining_is_shown_by_the_next_service(start: Start) -> None:
    service = start(python("import time; time.sleep(600)"))
    service.send(alert())
    job = service.journal.unfinished
    assert job is not None
    wait_for("the training runs", lambda: service.journal.start_of(str(job.retraining)) is not None)
    service.monitor.stop()
    again = start()
    wait_for("it is shown", lambda: "interrupted" in again.read("/").text)
    assert again.send(alert()) == ["cooling_down"]
    assert 'retraining_last_outcome{outcome="failed"} 1.0' in again.metrics()


MALFORMED: dict[str, bytes] = {
    "no JSON": b"{",
    "no object": b"[]",
    "nothing": b"",
    "another version": b'{"version": "3", "alerts": []}',
    "no alerts": b'{"version": "4"}',
    "no fingerprint": b'{"version": "4", "alerts": [{"status": "firing", "labels": {}, '
    b'"startsAt": "2026-01-01T00:00:00Z"}]}',
    "a path as fingerprint": b'{"version": "4", "alerts": [{"status": "firing", "labels": {}, '
    b'"startsAt": "2026-01-01T00:00:00Z", "fingerprint": "../../x"}]}',
    "no time zone": b'{"version": "4", "alerts": [{"status": "firing", "labels": {}, '
    b'"startsAt": "2026-01-01T00:00:00", "fingerprint": "aa"}]}',
    "half a character": b'{"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "\\ud800"}, '
    b'"startsAt": "2026-01-01T00:00:00Z", "fingerprint": "aa"}]}',
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_webhook_is_refused(service: Service, fault: str) -> None:
    headers = ALERTS | {"content-type": "application/json"}
    answer = service.client.post("/alerts", content=MALFORMED[fault], headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert not service.journal.decisions(1)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_refused(service: Service, announced: bool) -> None:
    body = b'{"version": "4", "alerts": [' + b" " * MAX_BODY_BYTES + b"]}"
    content = body if announced else iter([body[: MAX_BODY_BYTES // 2], body[MAX_BODY_BYTES // 2 :]])
    answer = service.client.post("/alerts", content=content, headers=ALERTS | {"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


def test_alertmanager_is_asked_to_come_back_when_the_journal_cannot_be_written(service: Service) -> None:
    with failing_writes():
        answer = service.client.post("/alerts", json=webhook(alert()), headers=ALERTS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert service.send(alert()) == ["started"]


def test_readiness_says_whether_the_journal_can_be_written(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    assert [service.client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]
    with failing_writes():
        assert [service.client.get("/readyz").status_code for _ in range(3)] == [503] * 3
        assert service.client.get("/livez").status_code == 200
    assert caplog.text.count("Not ready") == 1
    assert service.client.get("/readyz").status_code == 200


def test_a_failed_run_is_stored_and_does_not_end_the_loop(start: Start) -> None:
    service = start(monitoring=python(TAKING_TURNS), every=0.2)
    wait_for("three runs", lambda: 'watch_monitoring_runs_total{outcome="warning"} 3.0' in service.metrics())
    assert 'watch_monitoring_runs_total{outcome="failed"} 1.0' in service.metrics()
    assert [entry.reason for entry in service.journal.failed_runs(9)] == ["the ledger does not answer"]
    assert "the ledger does not answer" in service.read("/").text


@pytest.mark.parametrize(
    ("program", "sentence"),
    [("pass", "it left no report"), ("import sys; open(sys.argv[-1], 'w').write('{\"verdict\": 1}')", "the verdict 1")],
)
def test_a_run_without_a_verdict_has_failed(start: Start, program: str, sentence: str) -> None:
    service = start(monitoring=python(program))
    wait_for("the run has ended", lambda: bool(service.journal.failed_runs(1)))
    assert sentence in service.journal.failed_runs(1)[0].reason
    assert "watch_last_report_timestamp_seconds" not in service.metrics()


def test_runs_and_retrainings_do_not_overlap(start: Start) -> None:
    service = start(training=python(TAKING_TURNS), monitoring=python(TAKING_TURNS), every=0.05)
    service.send(alert())
    wait_for("both have run", lambda: service.journal.last_end is not None and 'warning"} 3' in service.metrics())
    assert service.journal.last_end is not None
    reasons = [service.journal.last_end.reason, *(run.reason for run in service.journal.failed_runs(99))]
    assert not [reason for reason in reasons if "FileExistsError" in reason]


def test_reports_are_served_and_nothing_else(service: Service, tmp_path: Path) -> None:
    (tmp_path / "latest.html").write_text("<p>latest</p>")
    (tmp_path / "20260304.json").write_text("{}")
    (tmp_path.parent / "secret.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path.parent / "secret.json")
    page = service.read("/reports/latest")
    assert page.text == "<p>latest</p>"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].split("; ").count("sandbox allow-scripts") == 1
    assert f"script-src {script_source()};" in page.headers["content-security-policy"], "and no other script runs"
    (tmp_path / "20260304-evidently.html").write_text("<script>1</script>")
    scripted = service.read("/reports/20260304-evidently.html").headers["content-security-policy"]
    assert "sandbox allow-scripts; " in scripted, "a script in a report is of no origin"
    assert "connect-src" not in scripted, "and reaches nothing"
    assert service.read("/reports/20260304.json").json() == {}
    ours = ("journal.db", "journal.db-journal", "decisions.jsonl.migrated", ".run.json")
    for name in (*ours, "link.json", "../secret.json", "%2e%2e%2fsecret.json", "nowhere.html"):
        assert service.read(f"/reports/{name}").status_code == 404, name


def test_the_page_shows_the_history_and_escapes_it(service: Service, tmp_path: Path) -> None:
    (tmp_path / "latest.json").write_text(
        '{"verdict": "drift", "model_name": "rakuten", "model_version": "3", "reasons": ["user <i>eve</i> is alone"]}'
    )
    (tmp_path / "history.jsonl").write_text(
        '{"at": "2026-03-04", "verdict": "ok"}\nnonsense\n[]\n{"verdict": "drift"}\n'
    )
    page = service.read("/")
    assert "&lt;i&gt;eve" in page.text
    assert "<i>" not in page.text
    assert page.text.count("<script") == 1
    assert f"script-src {script_source()};" in page.headers["content-security-policy"]
    assert [run["verdict"] for run in service.read("/history").json()] == ["drift", "ok"]
    assert "watch_last_report_timestamp_seconds 1." in service.metrics()


def test_tokens_are_created_for_their_owner_only_and_required_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("METRICS_TOKEN", "ALERT_TOKEN", "REPORTS_TOKEN", "APP_ENV"):
        monkeypatch.delenv(name, raising=False)
    made = MonitorSettings.from_environment(state_dir=tmp_path).tokens()
    assert made == MonitorSettings.from_environment(state_dir=tmp_path).tokens()
    assert len({made.metrics, made.alerts, made.reports}) == 3
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "metrics-token": 0o600, "alert-token": 0o600, "reports-token": 0o600,
    }  # fmt: skip
    monkeypatch.setenv("APP_ENV", "production")
    with pytest.raises(SettingsError, match="METRICS_TOKEN must be set"):
        MonitorSettings.from_environment(state_dir=tmp_path).tokens()
    monkeypatch.setenv("ALERT_TOKEN", "changeme")
    with pytest.raises(SettingsError, match="ALERT_TOKEN is too weak") as caught:
        MonitorSettings.from_environment()
    assert "changeme" not in str(caught.value)
    monkeypatch.setenv("ALERT_TOKEN", "9f2c41d07a6b4e0f8d13c5a7b2e46f901122334455667788\n")
    with pytest.raises(SettingsError, match=r"^ALERT_TOKEN begins or ends with white space"):
        MonitorSettings.from_environment()


def test_the_users_are_known_to_auth_where_it_runs_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVICE_URL", "AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    assert MonitorSettings.from_environment(state_dir=tmp_path).users_url == "http://127.0.0.1:3000"
    monkeypatch.setenv("SERVICE_URL", "https://predictions.example")
    assert MonitorSettings.from_environment(state_dir=tmp_path).users_url == "https://predictions.example"
    monkeypatch.setenv("AUTH_URL", "https://auth.example")
    assert MonitorSettings.from_environment(state_dir=tmp_path).users_url == "https://auth.example"
    for wrong in ("auth.example", "https://ada:secret@auth.example", "ftp://auth.example"):
        monkeypatch.setenv("AUTH_URL", wrong)
        with pytest.raises(SettingsError, match="AUTH_URL") as raised:
            MonitorSettings.from_environment(state_dir=tmp_path)
        assert "secret" not in str(raised.value)
