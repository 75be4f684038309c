"""The page loads nothing from elsewhere, keeps its token to itself, and can be used by everybody on every screen."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.ui.browser.conftest import Site, Visit

pytestmark = pytest.mark.browser

PAGES = ("Classify", "Catalogue", "History", "Review", "Models", "Monitoring", "Users")
# Rules that elements of Streamlit break, and why a page cannot change it.
STREAMLITS_OWN = {"presentation-role-conflict": "the area on which a file is dropped has a role and a label of its own"}


def violations(page: Any) -> dict[str, list[str]]:
    """By rule, the elements that break it."""
    found = Axe().run(page).response["violations"]
    return {
        entry["id"]: [node["html"][:300] for node in entry["nodes"]]
        for entry in found
        if entry["id"] not in STREAMLITS_OWN
    }


def fill(visit: Visit) -> None:
    """Classify a listing, so that the page has all that it can have."""
    visit.page.get_by_label("Title", exact=True).fill("Piscine gonflable ronde")
    visit.press("Classify")
    visit.see("Why this type")
    visit.settle()


def test_the_browser_asks_no_other_host_and_nobody_sees_the_token(site: Site) -> None:
    with site.visit() as visit:
        visit.sign_in("ada")
        fill(visit)
        for name in PAGES:
            visit.open(name)
        hosts = {urlsplit(url).netloc for url in visit.asked if not url.startswith(("data:", "blob:"))}
        assert hosts == {urlsplit(site.address).netloc}
        stored = visit.page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
        everything = stored + visit.page.content() + " ".join(visit.asked)
        assert "eyJ" not in everything  # how every JWT begins


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_of_ours(site: Site, scheme: str) -> None:
    with site.visit(color_scheme=scheme) as visit:
        assert not violations(visit.page), "sign in"
        visit.sign_in("ada")
        fill(visit)
        assert not violations(visit.page), "answer"
        for name in PAGES:
            visit.open(name)
            assert not violations(visit.page), name


def test_a_phone_scrolls_in_one_direction(site: Site) -> None:
    with site.visit(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True) as visit:
        assert not too_wide(visit)
        visit.sign_in("ada")
        fill(visit)
        assert not too_wide(visit)
        for path in ("catalogue", "history", "review", "models", "monitoring", "users"):
            with site.visit(path, viewport={"width": 390, "height": 844}) as other:
                other.sign_in("ada")
                other.settle()
                assert not too_wide(other), path


def too_wide(visit: Visit) -> bool:
    return bool(
        visit.page.evaluate(
            "[document.scrollingElement, document.querySelector('[data-testid=stMain]')]"
            ".some(element => element && element.scrollWidth > element.clientWidth + 1)"
        )
    )
