"""What a person sees of monitoring, in a real browser, after traffic that has drifted."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests.browser import chromium
from tests.system.workspace import ROOT, Workspace, free_port, wait_for

pytestmark = pytest.mark.browser
PICTURES = ROOT / "docs" / "images"


@dataclass(frozen=True)
class Watched:
    """A monitor service with one report."""

    address: str
    credentials: dict[str, str]
    report: str


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    workspace = Workspace(tmp_path_factory.mktemp("watched"))
    assert workspace.run("--size", "20000").returncode == 0
    serve, watch = free_port(), free_port()
    service = f"http://127.0.0.1:{serve}"
    with ExitStack() as stack:
        for verb, port in (("serve", serve), ("watch", watch)):
            process = workspace.start(verb, "--port", str(port))
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        wait_for("the service answers", lambda: answers(f"{service}/health"), 120)
        wait_for("the monitor service answers", lambda: answers(f"http://127.0.0.1:{watch}/health"), 120)
        for kind, requests in (("normal", "400"), ("drifted", "600")):
            sent = workspace.run(
                "simulate",
                "--service",
                service,
                "--username",
                "admin",
                "--kind",
                kind,
                "--requests",
                requests,
                "--rate",
                "200",
            )
            assert sent.returncode == 0, sent.stderr
        assert workspace.run("monitor").returncode == 0
        token = (workspace.state / "reports-token").read_text().strip()
        report = (workspace.state / "monitoring" / "latest.html").read_text(encoding="utf-8")
        yield Watched(f"http://127.0.0.1:{watch}", {"username": "any", "password": token}, report)


def answers(page: str) -> bool:
    try:
        return httpx.get(page, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_pages_open_and_load_nothing_from_elsewhere(watched: Watched) -> None:
    """Takes the documents' pictures of the report and of the monitor service."""
    asked: list[str] = []
    with chromium() as browser:
        context = browser.new_context(http_credentials=watched.credentials, viewport={"width": 1100, "height": 900})
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(watched.address, wait_until="networkidle")
        assert "drift" in page.inner_text("body")
        page.screenshot(path=PICTURES / "watch.png")
        page.goto(f"{watched.address}/reports/latest", wait_until="networkidle")
        assert "drift" in page.inner_text("body")
        page.screenshot(path=PICTURES / "monitoring.png")
    assert {url for url in asked if not url.startswith((watched.address, "data:"))} == set()
