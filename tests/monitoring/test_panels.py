"""Every panel has data, and drifted traffic retrains once: with real services, Prometheus, Alertmanager, Pushgateway.

A model is trained, served and monitored, then gets drifted traffic. The engines run with the project's configuration.
The test itself pushes no metric and answers no request.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import time
from typing import Any

import httpx
import pytest

from tests.monitoring.engines import Engines, running
from tests.monitoring.metric_names import queries
from tests.system.workspace import LIMIT, Workspace, free_port, wait_for

pytestmark = pytest.mark.monitoring


@dataclass
class System:
    """All that runs, since when, and the alerts and the verdict from before the first request."""

    engines: Engines
    started_at: float
    first_alerts: list[str]
    first_verdict: float


@contextmanager
def process(workspace: Workspace, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    started = workspace.start(*arguments)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            started.kill()


def healthy(started: "subprocess.Popen[str]", url: str) -> bool:
    assert started.poll() is None, started.communicate()
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def use_auth(service: str, password: str) -> None:
    """Log in, and be refused, in every way that the dashboard of auth shows."""
    good = {"username": "admin", "password": password}
    token = httpx.post(f"{service}/login", data=good, timeout=LIMIT).raise_for_status().json()["access_token"]
    admin = {"Authorization": f"Bearer {token}"}
    user = {"username": "visitor", "password": "violet-Umbrella-42"}
    httpx.post(f"{service}/users", json={**user, "role": "user"}, headers=admin, timeout=LIMIT).raise_for_status()
    token = httpx.post(f"{service}/login", data=user, timeout=LIMIT).raise_for_status().json()["access_token"]
    visitor = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{service}/me", headers=visitor, timeout=LIMIT).status_code == 200
    assert httpx.get(f"{service}/users", headers=visitor, timeout=LIMIT).status_code == 403
    assert httpx.post(f"{service}/predict", json={"designation": "x"}, timeout=LIMIT).status_code == 401
    wrong = {"username": "nobody", "password": "not the password"}
    assert [httpx.post(f"{service}/login", data=wrong, timeout=LIMIT).status_code for _ in range(7)][-1] == 429


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    workspace = Workspace(folder)
    engines = Engines(folder, workspace.state, free_port(), free_port())
    service, watch = (f"http://127.0.0.1:{port}" for port in (engines.service_port, engines.watch_port))
    trained = workspace.run("--size", "3000")
    assert trained.returncode == 0, trained.stderr
    with ExitStack() as stack:
        variables = stack.enter_context(pytest.MonkeyPatch.context())
        variables.setenv("PUSHGATEWAY_URL", engines.pushgateway.url)
        serving = stack.enter_context(process(workspace, "serve", "--port", str(engines.service_port)))
        wait_for("the service answers", lambda: healthy(serving, service))
        started_at = time()
        stack.enter_context(running(engines))
        watching = stack.enter_context(
            process(workspace, "watch", "--port", str(engines.watch_port), "--every", "1d", "--", "--size", "3000")
        )
        wait_for("the monitor service answers", lambda: healthy(watching, watch))
        wait_for("a first report was pushed", lambda: bool(engines.query("model:monitoring_verdict:code")))
        wait_for("the monitor service has it too", lambda: bool(engines.query("watch_last_report_timestamp_seconds")))
        wait_for("the rules were evaluated on it several times", lambda: len(verdicts(engines, started_at)) > 5)
        first_alerts = sorted(names(engines.history("ALERTS", started_at, time())))
        verdict = float(engines.query("model:monitoring_verdict:code")[0]["value"][1])
        use_auth(service, (workspace.state / "admin-password").read_text().strip())
        options = ("--username", "admin", "--kind", "drifted", "--requests", "900", "--rate", "60", "--feedback", "0.4")
        simulated = workspace.run("simulate", "--service", service, *options)
        assert simulated.returncode == 0, simulated.stdout + simulated.stderr
        monitored = workspace.run("monitor")
        assert monitored.returncode == 0, monitored.stderr
        wait_for("an alert asks for a retraining", lambda: bool(engines.firing(action="retrain")))
        wait_for("the retraining has ended", lambda: bool(engines.query("retraining_last_outcome == 1")))
        yield System(engines, started_at, first_alerts, verdict)
    assert not workspace.attempts.exists(), workspace.attempts.read_text()


def names(alerts: list[dict[str, Any]]) -> set[str]:
    return {series["metric"]["alertname"] for series in alerts}


def verdicts(engines: Engines, since: float) -> list[list[object]]:
    """The history of the verdict so far."""
    found = engines.history("model:monitoring_verdict:code", since, time())
    return found[0]["values"] if found else []


def test_no_alert_fires_before_the_first_request(system: System) -> None:
    assert system.first_verdict == 0, "insufficient data"
    assert system.first_alerts == []


@pytest.mark.parametrize("panel", queries())
def test_a_panel_has_data(system: System, panel: str) -> None:
    series = system.engines.history(queries()[panel], system.started_at, time())
    numbers = [float(text) for each in series for _, text in each["values"]]
    assert [value for value in numbers if value == value], "no series, or nothing but NaN"


def test_the_alert_has_retrained_once(system: System) -> None:
    decided = counts(system, "watch_alerts_total", "decision")
    assert decided["started"] == 1
    others = ("already_running", "cooling_down", "over_budget", "ignored")
    assert not any(decided[name] for name in others), "drift and falling quality are one cause: one alert is sent"
    ended = counts(system, "retraining_total", "outcome")
    assert (ended["promoted"] + ended["refused"], ended["failed"]) == (1, 0)


def test_only_drift_and_falling_quality_asked_for_a_retraining(system: System) -> None:
    asked = names(system.engines.history('ALERTS{action="retrain"}', system.started_at, time()))
    assert asked
    assert asked <= {"ModelDrift", "ModelQualityDrop"}


def test_no_other_alert_fires_after_the_restart_with_the_new_version(system: System) -> None:
    """During the restart the alert that the service is down may fire, if the restart takes more than a minute."""
    version = "2" if counts(system, "retraining_total", "outcome")["promoted"] else "1"

    def in_order() -> bool:
        answers = system.engines.query("instance:service:up == 1")
        serves = system.engines.query(f'model_info{{version="{version}"}} == 1')
        return bool(answers and serves) and system.engines.firing() <= {"ModelDrift", "ModelQualityDrop"}

    wait_for("the service answers with the version in production, and no other alert fires", in_order)


def counts(system: System, metric: str, label: str) -> dict[str, float]:
    return {series["metric"][label]: float(series["value"][1]) for series in system.engines.query(metric)}
