"""The whole loop: drifted traffic, a verdict, an alert, a retraining, and the new version in the service."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.monitoring.engines import Engines, running
from tests.monitoring.watching import webhook
from tests.system.workspace import LIMIT, Workspace, free_port, wait_for

pytestmark = pytest.mark.monitoring
SIZE = "3000"
PASSWORD = "violet-Umbrella-42"


@dataclass(frozen=True)
class Loop:
    """All that runs: the services and the engines."""

    workspace: Workspace
    engines: Engines

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.engines.service_port}"

    @property
    def watch(self) -> str:
        return f"http://127.0.0.1:{self.engines.watch_port}"

    def bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.workspace.state / f'{name}-token').read_text().strip()}"}

    def value(self, query: str) -> float | None:
        """The value of a query in Prometheus now; None without a matching series."""
        found = self.engines.query(query)
        return float(found[0]["value"][1]) if found else None

    def read(self, path: str) -> Any:
        return httpx.get(f"{self.watch}{path}", headers=self.bearer("reports"), timeout=LIMIT).raise_for_status().json()

    def decisions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.read("/decisions")["decisions"]
        return found

    def retrainings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.read("/decisions")["retrainings"]
        return found

    def verdict(self) -> str | None:
        history = self.read("/history")
        return history[0]["verdict"] if history else None

    def served(self) -> str | None:
        try:
            version: str = httpx.get(f"{self.service}/health", timeout=5).json()["model_version"]
        except httpx.HTTPError:
            return None
        return version

    def simulate(self, *options: str) -> None:
        done = self.workspace.run("simulate", "--service", self.service, "--rate", "100", *options)
        assert done.returncode == 0, done.stdout + done.stderr

    def login(self, username: str, password: str) -> httpx.Client:
        answer = httpx.post(f"{self.service}/login", data={"username": username, "password": password}, timeout=LIMIT)
        token = answer.raise_for_status().json()["access_token"]
        return httpx.Client(base_url=self.service, headers={"Authorization": f"Bearer {token}"}, timeout=LIMIT)

    def admin(self) -> httpx.Client:
        return self.login("admin", (self.workspace.state / "admin-password").read_text().strip())

    def train(self, name: str) -> dict[str, Any]:
        """Train on the listings of the first version and all feedback; the outcome."""
        report = self.workspace.folder / f"{name}.json"
        done = self.workspace.run("train", "--size", SIZE, "--json", str(report))
        assert done.returncode == 0, done.stderr
        outcome: dict[str, Any] = json.loads(report.read_text())
        return outcome

    def latest(self) -> dict[str, Any]:
        report: dict[str, Any] = self.read("/reports/latest.json")
        return report


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    workspace = Workspace(tmp_path_factory.mktemp("loop"))
    engines = Engines(tmp_path_factory.mktemp("engines"), workspace.state, free_port(), free_port())
    loop = Loop(workspace, engines)
    with ExitStack() as stack:
        variables = pytest.MonkeyPatch()
        stack.callback(variables.undo)
        variables.setenv("PUSHGATEWAY_URL", engines.pushgateway.url)
        assert loop.train("first")["promoted"] is True
        for verb, port, options in (
            ("serve", engines.service_port, ["--every", "1"]),
            ("watch", engines.watch_port, ["--every", "10s", "--cool-down", "1h", "--", "--size", SIZE]),
        ):
            stack.callback(_end, workspace.start(verb, "--port", str(port), *options))
        wait_for("version 1 is served", lambda: loop.served() == "1")
        wait_for("the monitor service answers", lambda: _answers(f"{loop.watch}/health"))
        stack.enter_context(running(engines))
        yield loop


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_1_an_empty_system_and_normal_traffic_ask_for_no_retraining(loop: Loop) -> None:
    wait_for("the first report", lambda: loop.verdict() == "insufficient_data")
    loop.simulate("--requests", "400", "--feedback", "0")
    wait_for("a report of normal traffic", lambda: loop.verdict() in ("ok", "warning"))
    pushed = 'monitoring_current_rows{job="product_types_monitoring", model_name="rakuten-embedded", model_version="1"}'
    wait_for("Prometheus has it", lambda: (loop.value(pushed) or 0) >= 400)
    assert loop.engines.firing(action="retrain") == set()
    assert loop.decisions() == []


def test_2_drifted_traffic_retrains_once_with_the_feedback_on_it(loop: Loop) -> None:
    loop.simulate("--username", "admin", "--kind", "drifted", "--requests", "1500", "--feedback", "0.6")
    wait_for("the verdict", lambda: loop.verdict() == "drift")
    wait_for("a retraining", lambda: bool(loop.retrainings()))
    wait_for("its end", lambda: loop.retrainings()[0]["outcome"] != "under way")
    (done,) = loop.retrainings()
    assert done["outcome"] in ("promoted", "refused"), done
    assert done["reason"]
    if done["outcome"] == "promoted":
        wait_for("the new version is served", lambda: loop.served() == done["model_version"])
        assert done["model_version"] == "2"
    else:
        assert loop.served() == "1"
    counted = f'retraining_total{{outcome="{done["outcome"]}"}}'
    wait_for("Prometheus has it", lambda: loop.value(counted) == 1)


def test_3_a_repeated_alert_and_one_without_its_token_start_no_second_retraining(loop: Loop) -> None:
    started = next(entry for entry in loop.decisions() if entry["decision"] == "started")
    again = {
        "status": "firing",
        "labels": {"alertname": started["alert"], "action": "retrain"},
        "startsAt": started["starts_at"],
        "fingerprint": started["fingerprint"],
    }
    for headers in ({}, loop.bearer("metrics")):
        refused = httpx.post(f"{loop.watch}/alerts", json=webhook(again), headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
    before = Counter(entry["decision"] for entry in loop.decisions())
    for _ in range(10):
        answer = httpx.post(f"{loop.watch}/alerts", json=webhook(again), headers=loop.bearer("alert"))
        assert answer.json()["decisions"][0]["decision"] == "duplicate"
    after = Counter(entry["decision"] for entry in loop.decisions())
    assert after["started"] == 1
    assert after["duplicate"] - before["duplicate"] >= 10


def test_4_monitoring_continues_without_the_pushgateway(loop: Loop) -> None:
    away = "not pushed: the Pushgateway cannot be reached"
    loop.engines.pushgateway.stop()
    try:
        wait_for("a report without it", lambda: loop.latest()["pushgateway"].startswith(away))
        assert loop.latest()["verdict"]
    finally:
        loop.engines.pushgateway.start()
    wait_for("a report with it", lambda: loop.latest()["pushgateway"] == "pushed")


def test_5_many_wrong_labels_of_one_user_are_reported_and_decide_nothing(loop: Loop) -> None:
    before = loop.train("before")
    with loop.admin() as admin:
        new = {"username": "mallory", "password": PASSWORD, "role": "user"}
        user_id = admin.post("/users", json=new).raise_for_status().json()["id"]
        types = [int(code) for code in admin.get("/model-info").json()["taxonomy"]]
    with loop.login("mallory", PASSWORD) as mallory:
        listings = [{"designation": f"Piscine gonflable ronde numéro {number}"} for number in range(1_000)]
        results = mallory.post("/predict/batch", json={"listings": listings}).raise_for_status().json()["results"]
        for number, result in enumerate(results):
            predicted = result["prediction"]
            wrong = [code for code in types if code != predicted["predicted_code"]]
            body = {"prediction_id": predicted["prediction_id"], "correct_code": wrong[number % len(wrong)]}
            assert mallory.post("/feedback", json=body).status_code == 200
    after = loop.train("after")
    if before["champion_weighted_f1"] is not None:  # None: nothing was new to it, and nothing was compared
        assert after["champion_weighted_f1"] == before["champion_weighted_f1"], "the decision was made on other rows"
    assert after["rows"] - before["rows"] == 200, "at most 200 labels of one user enter training"
    assert after["promoted"] is False, after["reason"]
    assert loop.served() == before["model_version"]
    wait_for(
        "the report names her",
        lambda: f"User {user_id} (user) gave feedback 1,000 times" in str(loop.latest()["reasons"]),
    )
    decided = loop.latest()["quality"]["rows"]
    assert decided < 1_000, "feedback of plain users does not decide"


def test_6_an_unreadable_ledger_is_reported_and_monitoring_recovers(loop: Loop) -> None:
    ledger = loop.workspace.state / "ledger.db"
    away = [path for path in ledger.parent.iterdir() if path.name in ("ledger.db", "ledger.db-wal", "ledger.db-shm")]
    for path in away:
        path.rename(path.with_name(f"away-{path.name}"))
    ledger.write_bytes(b"this is no database\n" * 1_000)
    try:
        wait_for("a run has failed", lambda: "the ledger at" in page(loop))
        assert _answers(f"{loop.watch}/health")
    finally:
        ledger.unlink()
        for path in away:
            path.with_name(f"away-{path.name}").rename(path)
    seen = loop.read("/history")[0]["run"]
    wait_for("the next run succeeds", lambda: loop.read("/history")[0]["run"] != seen)


def page(loop: Loop) -> str:
    return httpx.get(loop.watch, headers=loop.bearer("reports"), timeout=LIMIT).text
