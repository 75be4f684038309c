"""Every panel's query against a real Prometheus, which scraped the real services; and what their first hours fire.

A model is trained, served and monitored; Prometheus, Alertmanager, Pushgateway and the blackbox exporter run with the
project's configuration; drifted traffic raises the alert that retrains. Nothing is pushed or answered by the test.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import time

import httpx
import pytest

from tests.monitoring.engines import Engines, running
from tests.monitoring.metric_names import queries
from tests.system.workspace import Workspace, free_port, wait_for

pytestmark = pytest.mark.monitoring


@dataclass
class Scene:
    """What runs, since when, and what was seen of it while nothing had happened yet."""

    engines: Engines
    begun: float
    quiet: list[str]
    quiet_verdict: float


@contextmanager
def process(workspace: Workspace, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    started = workspace.start(*arguments)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            started.kill()


def healthy(started: "subprocess.Popen[str]", url: str) -> bool:
    assert started.poll() is None, started.communicate()
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def knock(service: str, password: str) -> None:
    """Be let in and be refused, in all the ways that the dashboard of auth shows."""
    good = {"username": "admin", "password": password}
    token = httpx.post(f"{service}/login", data=good, timeout=10).raise_for_status().json()["access_token"]
    admin = {"Authorization": f"Bearer {token}"}
    user = {"username": "visitor", "password": "violet-Umbrella-42"}
    httpx.post(f"{service}/users", json={**user, "role": "user"}, headers=admin, timeout=10).raise_for_status()
    token = httpx.post(f"{service}/login", data=user, timeout=10).raise_for_status().json()["access_token"]
    visitor = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{service}/me", headers=visitor, timeout=10).status_code == 200
    assert httpx.get(f"{service}/users", headers=visitor, timeout=10).status_code == 403
    assert httpx.post(f"{service}/predict", json={"designation": "x"}, timeout=10).status_code == 401
    wrong = {"username": "nobody", "password": "not the password"}
    assert [httpx.post(f"{service}/login", data=wrong, timeout=10).status_code for _ in range(7)][-1] == 429


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    workspace = Workspace(folder)
    engines = Engines(folder, workspace.state, free_port(), free_port())
    service, watch = (f"http://127.0.0.1:{port}" for port in (engines.service_port, engines.watch_port))
    trained = workspace.run("--size", "3000")
    assert trained.returncode == 0, trained.stderr
    with ExitStack() as stack:
        variables = stack.enter_context(pytest.MonkeyPatch.context())
        variables.setenv("PUSHGATEWAY_URL", engines.pushgateway.url)
        serving = stack.enter_context(process(workspace, "serve", "--port", str(engines.service_port)))
        wait_for("the service answers", lambda: healthy(serving, service), 120)
        begun = time()
        stack.enter_context(running(engines))
        watching = stack.enter_context(
            process(workspace, "watch", "--port", str(engines.watch_port), "--every", "1d", "--", "--size", "3000")
        )
        wait_for("the monitor service answers", lambda: healthy(watching, watch), 120)
        wait_for("a first report was pushed", lambda: bool(engines.query("model:monitoring_verdict:code")), 180)
        wait_for("it is the monitor service's too", lambda: bool(engines.query(report_age())), 60)
        wait_for("rules were evaluated on it", lambda: len(values(engines, begun)) > 5)
        quiet = sorted({series["metric"]["alertname"] for series in engines.history("ALERTS", begun, time())})
        verdict = float(engines.query("model:monitoring_verdict:code")[0]["value"][1])
        knock(service, (workspace.state / "admin-password").read_text().strip())
        options = ("--kind", "drifted", "--requests", "900", "--rate", "60", "--feedback", "0.4")
        simulated = workspace.run("simulate", "--service", service, *options)
        assert simulated.returncode == 0, simulated.stdout + simulated.stderr
        monitored = workspace.run("monitor")
        assert monitored.returncode == 0, monitored.stderr
        wait_for("an alert asks for a retraining", lambda: bool(engines.firing(action="retrain")), 60)
        wait_for("the retraining has ended", lambda: bool(engines.query("retraining_last_outcome == 1")), 240)
        yield Scene(engines, begun, quiet, verdict)
    assert not workspace.attempts.exists(), workspace.attempts.read_text()


def report_age() -> str:
    return "watch_last_report_timestamp_seconds"


def values(engines: Engines, since: float) -> list[list[object]]:
    """The verdict's history so far."""
    found = engines.history("model:monitoring_verdict:code", since, time())
    return found[0]["values"] if found else []


def test_a_system_in_which_nothing_has_happened_yet_fires_nothing(scene: Scene) -> None:
    assert scene.quiet_verdict == 0, "insufficient data"
    assert scene.quiet == []


@pytest.mark.parametrize("panel", queries())
def test_a_panel_has_data(scene: Scene, panel: str) -> None:
    series = scene.engines.history(queries()[panel], scene.begun, time())
    numbers = [float(text) for each in series for _, text in each["values"]]
    assert [value for value in numbers if value == value], "no series, or nothing but NaN"


def test_the_alert_has_retrained_once(scene: Scene) -> None:
    decided = {
        series["metric"]["decision"]: float(series["value"][1]) for series in scene.engines.query("watch_alerts_total")
    }
    assert decided["started"] == 1
    others = ("already_running", "cooling_down", "over_budget", "ignored")
    assert not any(decided[name] for name in others), "drift and a fall in quality are one cause"
    (outcome,) = [series["metric"]["outcome"] for series in scene.engines.query("retraining_last_outcome == 1")]
    assert outcome in ("promoted", "refused")
    assert not scene.engines.firing() - {"ModelDrift", "ModelQualityDrop"}
