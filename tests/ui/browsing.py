"""The web page as a process, and a person who uses it in the system's Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.workspace import ROOT, Workspace, free_port, wait_for

PICTURES = ROOT / "docs" / "images"
PHONE = {"width": 390, "height": 844}
_LIMIT = 60_000  # milliseconds, of which a busy machine needs some


@contextmanager
def served(workspace: Workspace, service: str, monitor: str) -> Iterator[str]:
    """Serve the page, which asks these services, and yield its address."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    process = workspace.start("ui", "--port", str(port), "--service", service, "--monitor", monitor)
    try:
        wait_for("the page is served", lambda: answers(f"{address}/_stcore/health"), 120)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=60)


def answers(url: str) -> bool:
    """Return whether something answers there."""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


class Visitor:
    """A person with a browser of their own."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.address = address
        self.page = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **context}).new_page()
        self.page.set_default_timeout(_LIMIT)

    def sign_in(self, path: str, username: str, password: str) -> "Visitor":
        """Open a page, and sign in there."""
        self.page.goto(f"{self.address}/{path}")
        self.page.get_by_label("Name").fill(username)
        field = self.page.get_by_label("Password", exact=True)
        field.fill(password)
        field.press("Enter")
        field.wait_for(state="detached")
        self.settle()
        return self

    def open(self, name: str) -> None:
        """Go to a page by its name in the navigation."""
        self.page.get_by_role("link", name=name).click()
        self.page.get_by_role("heading", level=1, name=name).wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and the elements are drawn."""
        self.page.wait_for_timeout(300)  # Streamlit says that it runs a moment after a click
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        self.page.locator('[data-stale="true"]').first.wait_for(state="detached")

    def press(self, label: str) -> None:
        """Click a button."""
        self.page.get_by_role("button", name=label, exact=True).click()
        self.settle()

    def sees(self, words: str) -> None:
        """Wait until some words are on the page."""
        self.page.get_by_text(words).first.wait_for()

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list by typing."""
        field = self.page.get_by_role("combobox", name=label)
        field.fill(option)
        self.page.keyboard.press("Enter")
        self.settle()

    def picture(self, name: str) -> None:
        """Take a picture of the whole page for the documents."""
        size = self.page.viewport_size
        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": min(height, 2_400)})
        self.page.wait_for_timeout(800)  # charts are drawn again at the new size
        self.page.screenshot(path=Path(PICTURES) / f"{name}.png")
        self.page.set_viewport_size(size)

    def faults(self) -> list[str]:
        """Return what axe-core finds in the page."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        found = axe.run(self.page).response["violations"]
        return [f"{fault['id']}: {[node['html'][:120] for node in fault['nodes']]}" for fault in found]

    def is_wider_than_the_screen(self) -> bool:
        """Return whether one has to scroll to the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
