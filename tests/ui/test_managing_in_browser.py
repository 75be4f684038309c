"""Models, monitoring and users in a real browser, on real services with two trained versions."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.browser import chromium
from tests.system.snapshots import Snapshot
from tests.system.workspace import Workspace, free_port, wait_for
from tests.ui.browsing import PHONE, Visitor, answers, served

pytestmark = pytest.mark.browser
PASSWORD = "orchid-Lantern-93"


@dataclass(frozen=True)
class Site:
    """The page on a state with two versions and two reports, and its admin's password."""

    address: str
    service: str
    password: str
    browser: Any

    def admin(self, path: str, **context: Any) -> Visitor:
        return Visitor(self.browser, self.address, **context).sign_in(path, "admin", self.password)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, one_version: Snapshot) -> Iterator[Site]:
    serve, watch = free_port(), free_port()
    service, monitor = f"http://127.0.0.1:{serve}", f"http://127.0.0.1:{watch}"
    workspace = Workspace(tmp_path_factory.mktemp("site"), variables={"SERVICE_URL": service})
    one_version.copied_to(workspace)
    assert workspace.run("--size", "4000").returncode == 0
    with ExitStack() as stack:
        for words in (("serve", "--port", str(serve)), ("watch", "--port", str(watch), "--every", "1d")):
            process = workspace.start(*words)
            stack.callback(process.communicate)
            stack.callback(process.terminate)
        for address in (service, monitor):
            wait_for(f"{address} answers", lambda address=address: answers(f"{address}/readyz"), 180)
        for kind in ("normal", "drifted"):
            words = ("simulate", "--service", service, "--username", "admin", "--kind", kind, "--requests", "400")
            assert workspace.run(*words, "--rate", "200").returncode == 0
            assert workspace.run("monitor").returncode == 0
        address = stack.enter_context(served(workspace, service, monitor))
        password = (workspace.state / "admin-password").read_text().strip()
        yield Site(address, service, password, stack.enter_context(chromium()))


def test_the_monitoring_page_says_the_verdict_and_draws_its_history(site: Site) -> None:
    admin = site.admin("monitoring")
    admin.sees("Drift: the listings, or how often the answers are right")
    admin.page.get_by_role("img", name="The verdict of each report over time").wait_for()
    assert admin.faults() == []
    admin.picture("ui-monitoring")


def test_two_versions_are_compared_and_one_is_taken_back(site: Site) -> None:
    admin = site.admin("models")
    admin.sees("is in production.")
    admin.press("Compare")
    admin.page.get_by_role("img", name="How F1 of each type differs").wait_for()
    assert admin.faults() == []
    admin.picture("ui-models")
    admin.press("Roll back…")
    admin.sees("Version 2 leaves production and version 1 takes over.")
    admin.page.get_by_label("Reason").fill("many complaints about pools")
    admin.page.keyboard.press("Enter")
    admin.press("Return to the version before")
    admin.sees("Version 1 is in production again. Version 2 has left it.")
    wait_for("the service follows", lambda: served_version(site.service) == "1", 120)


def served_version(service: str) -> str:
    try:
        version: str = httpx.get(f"{service}/health", timeout=5).json()["model_version"]
    except httpx.HTTPError:
        return ""
    return version


def test_an_account_is_created_changed_and_deleted(site: Site) -> None:
    admin = site.admin("users")
    admin.page.get_by_label("Name").fill("nora")
    admin.page.get_by_label("New password").fill(PASSWORD)
    admin.press("Create")
    admin.sees("User nora was created.")
    Visitor(site.browser, site.address).sign_in("classify", "nora", PASSWORD)
    admin.choose("User", "nora")
    admin.page.get_by_role("tab", name="Sessions").click()
    admin.sees("127.0.0.1")
    assert admin.faults() == []
    admin.picture("ui-users")
    admin.press("End all sessions")
    admin.sees("All sessions of nora have ended.")
    admin.page.get_by_role("tab", name="Delete").click()
    admin.press("Delete this user…")
    admin.page.get_by_label("Enter the name of the user to confirm").fill("nora")
    admin.page.keyboard.press("Enter")
    admin.press("Delete for ever")
    admin.sees("nora was deleted")


@pytest.mark.parametrize("path", ["monitoring", "models", "users"])
def test_a_page_fits_a_phone_in_the_dark(site: Site, path: str) -> None:
    admin = site.admin(path, viewport=PHONE, color_scheme="dark")
    assert not admin.is_wider_than_the_screen()
    assert admin.faults() == []
