"""The dashboard that ZenML serves from its wheel, on a run of ours: read over its API, and looked at in a browser."""

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium
from tests.system.snapshots import Snapshot, train
from tests.system.workspace import DASHBOARD, LIMIT, ROOT, Workspace, free_port

STEPS = [
    "collect_inputs", "ingest_listings", "check_listings", "gate_listings", "consolidate_listings", "train_classifier",
    "evaluate_classifier", "compare_with_production", "package_bento", "promote_classifier",
]  # fmt: skip


@dataclass(frozen=True)
class Dashboard:
    """A served dashboard and a token for its API."""

    address: str
    token: str

    def get(self, path: str, **query: Any) -> Any:
        url = f"{self.address}/api/v1{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=LIMIT) as response:
            return json.load(response)

    def latest_run(self) -> Any:
        return self.get("/runs", sort_by="desc:created", size=1, hydrate="true")["items"][0]

    def page(self, artifact: str) -> str:
        """The visualisation of the newest version of an artifact."""
        newest = self.get("/artifact_versions", artifact=artifact, sort_by="desc:created", size=1)["items"][0]
        value: str = self.get(f"/artifact_versions/{newest['id']}/visualize", index=0)["value"]
        return value


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Workspace:
    """A state with one run; for the documents' pictures one of the size that the README talks about."""
    workspace = Workspace(tmp_path_factory.mktemp("dashboard"))
    if request.config.getoption("markexpr") == "browser":
        train(workspace, "--size", "20000")
    else:
        snapshot: Snapshot = request.getfixturevalue("one_version")
        snapshot.copied_to(workspace)
    return workspace


@pytest.fixture(scope="module")
def dashboard(workspace: Workspace) -> Iterator[Dashboard]:
    port = free_port()
    environment = workspace.environment() | DASHBOARD
    zenml = str(Path(sys.executable).parent / "zenml")

    def command(*arguments: str) -> None:
        subprocess.run(
            [zenml, *arguments], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=True, capture_output=True
        )

    command("login", "--local", "--port", str(port), "--ip-address", "127.0.0.1")
    address = f"http://127.0.0.1:{port}"
    try:
        login = urllib.request.Request(f"{address}/api/v1/login", data=b"username=default&password=")
        with urllib.request.urlopen(login, timeout=LIMIT) as response:
            yield Dashboard(address, json.load(response)["access_token"])
    finally:
        command("logout", "--local")


@pytest.mark.system
def test_the_dashboard_shows_the_run_as_a_graph_of_our_steps(dashboard: Dashboard) -> None:
    run = dashboard.latest_run()
    assert run["body"]["status"] == "completed"
    nodes = dashboard.get(f"/runs/{run['id']}/dag")["nodes"]
    assert {node["name"] for node in nodes if node["type"] == "step"} == set(STEPS)
    artifacts = {node["name"] for node in nodes if node["type"] == "artifact"}
    assert artifacts >= {"raw_listings", "data_report_page", "listings", "evaluation_page", "model_card", "bento"}


@pytest.mark.system
@pytest.mark.parametrize(
    ("artifact", "content"),
    [
        ("data_report_page", "Data contract:"),
        ("listings", "rows, the first 20 of them"),
        ("evaluation_page", "Types, the weakest first"),
        ("model_card", "# Model card: rakuten-embedded"),
        ("decision_page", "Promoted"),
    ],
)
def test_pages_of_the_run_are_shown_as_they_were_made(dashboard: Dashboard, artifact: str, content: str) -> None:
    assert content in dashboard.page(artifact)


@pytest.mark.system
def test_the_model_control_plane_mirrors_production(dashboard: Dashboard) -> None:
    versions = dashboard.get("/model_versions", stage="production", hydrate="true")["items"]
    assert len(versions) == 1
    assert versions[0]["metadata"]["run_metadata"]["mlflow_version"] == "1"


@pytest.mark.browser
def test_the_dashboard_opens_in_a_browser(dashboard: Dashboard) -> None:
    """Takes the documents' picture of the pipeline, and that of the evaluation page."""
    pictures = ROOT / "docs" / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    run = dashboard.latest_run()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 1300})
        page.goto(f"{dashboard.address}/projects/default/runs/{run['id']}", wait_until="networkidle")
        page.get_by_text("train_classifier").first.wait_for(timeout=30_000)
        page.wait_for_timeout(3_000)  # the graph moves into place
        page.screenshot(path=pictures / "pipeline.png")
        page.set_content(dashboard.page("evaluation_page"))
        page.screenshot(path=pictures / "evaluation.png")
