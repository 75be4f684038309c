"""The page as its users have it: real `serve`, `watch` and `ui` processes on a small trained state, and Chromium."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.browser import chromium
from tests.system.service import Service, serving
from tests.system.snapshots import Snapshot
from tests.system.workspace import LIMIT, ROOT, Workspace, free_port, wait_for

PASSWORD = "violet-Umbrella-42"
PICTURES = ROOT / "docs" / "images"
_SECONDS = 60_000  # milliseconds that a busy machine may take to draw a page


@dataclass
class Visit:
    """A tab of the browser, and what it asked for."""

    page: Any
    asked: list[str] = field(default_factory=list)

    def sign_in(self, username: str) -> "Visit":
        """Fill in the form and send it."""
        self.page.get_by_label("Name", exact=True).fill(username)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for(state="attached")
        return self

    def open(self, name: str) -> "Visit":
        """Choose a page in the navigation and wait for it."""
        self.page.get_by_role("link", name=name, exact=True).click()
        self.settle()
        return self

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).first.click()

    def see(self, text: str) -> None:
        """Wait until a text is there."""
        self.page.get_by_text(text).first.wait_for()

    def settle(self) -> None:
        """Wait until the page is drawn."""
        self.page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
        self.page.get_by_role("heading", level=1).first.wait_for()

    def picture(self, name: str) -> None:
        """Take the picture of the documents, if PICTURES=1 asks for it."""
        if os.environ.get("PICTURES") == "1":
            self.page.wait_for_timeout(1_000)  # what moves has moved
            self.page.screenshot(path=PICTURES / f"ui-{name}.png")


@dataclass(frozen=True)
class Site:
    """The running page, and Chromium."""

    address: str
    browser: Any
    service: Service

    @contextmanager
    def visit(self, path: str = "", **options: Any) -> Iterator[Visit]:
        """Open the page in a new browser profile. `options`: of Playwright's context."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options})
        context.set_default_timeout(_SECONDS)
        page = context.new_page()
        visit = Visit(page)
        page.on("request", lambda request: visit.asked.append(request.url))
        page.on("websocket", lambda socket: visit.asked.append(socket.url))
        page.goto(f"{self.address}/{path}")
        page.get_by_role("heading", level=1).first.wait_for()
        yield visit
        context.close()


@pytest.fixture(scope="session")
def site(one_version: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The three processes and a browser, once for all tests."""
    workspace = one_version.copied_to(Workspace(tmp_path_factory.mktemp("ui")))
    with ExitStack() as running:
        browser = running.enter_context(chromium())
        service = running.enter_context(serving(workspace))
        service.wait_for_version("1")
        add_users(service)
        monitor = running.enter_context(process(workspace, "watch", "/health", {"SERVICE_URL": service.url}))
        options = ("--service", service.url, "--monitor", monitor)
        page = running.enter_context(process(workspace, "ui", "/_stcore/health", {}, *options))
        yield Site(page, browser, service)


def add_users(service: Service) -> None:
    """Create a user of every role."""
    headers = {"Authorization": f"Bearer {service.token()}"}
    for username, role in (("ada", "admin"), ("rita", "reviewer"), ("ulf", "user"), ("uma", "user")):
        body = {"username": username, "password": PASSWORD, "role": role}
        answer = httpx.post(f"{service.url}/users", json=body, headers=headers, timeout=LIMIT)
        assert answer.status_code == 201, answer.text


@contextmanager
def process(workspace: Workspace, verb: str, health: str, variables: dict[str, str], *options: str) -> Iterator[str]:
    """Run a verb that serves, and yield its address once it answers."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = Workspace(workspace.folder, variables=variables).start(verb, "--port", str(port), *options)

    def answers() -> bool:
        assert started.poll() is None, "\n".join(started.communicate())
        with suppress(httpx.TransportError):
            return httpx.get(address + health, timeout=LIMIT, trust_env=False).status_code == 200
        return False

    try:
        wait_for(f"{verb} answers", answers)
        yield address
    finally:
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=LIMIT)
