"""Models, monitoring and users in a real browser, on real services with two trained versions and two reports."""

import pytest

from tests.ui.browser.conftest import PASSWORD, Site

pytestmark = pytest.mark.browser
NEW_PASSWORD = "orchid-Lantern-93"


@pytest.fixture(scope="module")
def managed(site: Site) -> Site:
    """The site after a second training, and after traffic that has drifted."""
    workspace = site.service.workspace
    assert workspace.run("--size", "4000").returncode == 0
    site.service.wait_for_version("2")
    for kind in ("normal", "drifted"):
        words = ("simulate", "--service", site.service.url, "--username", "admin", "--kind", kind)
        assert workspace.run(*words, "--requests", "400", "--rate", "200").returncode == 0
        assert workspace.run("monitor").returncode == 0
    return site


def test_the_monitoring_page_says_the_verdict_and_draws_its_history(managed: Site) -> None:
    with managed.visit("monitoring") as visit:
        visit.sign_in("rita")
        visit.see("Drift: the listings, or how often the answers are right")
        visit.page.get_by_label("The verdict of each report over time").first.wait_for()
        visit.picture("monitoring")


def test_two_versions_are_compared_and_one_is_taken_back(managed: Site) -> None:
    with managed.visit("models") as visit:
        visit.sign_in("ada")
        visit.page.get_by_label("Weighted F1 of each version").first.wait_for()
        visit.picture("models")
        visit.press("Compare")
        visit.page.get_by_label("How F1 of each type differs").first.wait_for()
        visit.press("Roll back…")
        visit.see("Version 2 leaves production and version 1 takes over.")
        visit.page.get_by_label("Reason", exact=True).fill("many complaints about pools")
        visit.page.keyboard.press("Enter")
        visit.press("Return to the version before")
        visit.see("Version 1 is in production again. Version 2 has left it.")
    managed.service.wait_for_version("1")


def test_an_account_is_created_changed_and_deleted(site: Site) -> None:
    with site.visit("users") as visit:
        page = visit.sign_in("ada").page
        page.get_by_label("Name", exact=True).fill("nora")
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        visit.press("Create")
        visit.see("User nora was created.")
        with site.visit() as other:
            other.sign_in("nora")
        visit.picture("users")
        page.get_by_role("combobox", name="User", exact=True).fill("nora")
        page.keyboard.press("Enter")
        page.get_by_role("tab", name="Password").click()
        page.get_by_role("tabpanel").get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        visit.press("Set the password")
        visit.see("nora has a new password.")
        page.get_by_role("tab", name="Sessions").click()
        visit.see("This user has no session.")
        page.get_by_role("tab", name="Delete").click()
        visit.press("Delete this user…")
        page.get_by_label("Enter the name of the user to confirm", exact=True).fill("nora")
        page.keyboard.press("Enter")
        visit.press("Delete for ever")
        visit.see("nora was deleted")
