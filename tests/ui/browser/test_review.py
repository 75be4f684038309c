"""Review in a real browser: by keyboard alone, by two people at once, and back again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from catalog.synthetic import generate
from tests.system.workspace import LIMIT
from tests.ui.browser.conftest import PASSWORD, Site, Visit

pytestmark = pytest.mark.browser
_LISTINGS = 12


@dataclass(frozen=True)
class Queue:
    """The listings that one user has sent, and nothing else, to review."""

    site: Site
    sender: httpx.Client

    def feedback(self) -> list[int]:
        """Return the codes that were given, the oldest first."""
        items = self.sender.get("/me/predictions?limit=200").json()["items"]
        given = sorted((said["given_at"], said["correct_code"]) for item in items for said in item["feedback"])
        return [code for _, code in given]


@pytest.fixture
def queue(site: Site) -> Iterator[Queue]:
    with asking(site, "ulf") as ulf, asking(site, "uma") as uma:
        for sender in (ulf, uma):
            assert sender.delete("/me/predictions").status_code == 200
        for title, description in generate(200, seed=3)[["designation", "description"]].head(_LISTINGS).to_numpy():
            listing = {"designation": title, "description": description or None}
            assert ulf.post("/predict", json=listing).status_code == 200
        yield Queue(site, ulf)


@contextmanager
def asking(site: Site, username: str) -> Iterator[httpx.Client]:
    """A client with the token of a user."""
    with httpx.Client(base_url=site.service.url, timeout=LIMIT) as client:
        token = client.post("/login", data={"username": username, "password": PASSWORD}).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def title(visit: Visit) -> str:
    """The title of the listing in hand."""
    words: str = visit.page.locator(".listing .title").inner_text()
    return words


def press_key(visit: Visit, key: str) -> None:
    """Press a key, and wait for the listing that follows."""
    before = title(visit)
    visit.page.keyboard.press(key)
    changed = "before => document.querySelector('.listing .title')?.innerText !== before"
    visit.page.wait_for_function(changed, arg=before)
    visit.settle()


def answer_with(visit: Visit, number: str) -> None:
    """Answer with a type by its number."""
    visit.page.keyboard.press("t")
    visit.page.keyboard.type(number)
    press_key(visit, "Enter")


def test_five_listings_are_reviewed_by_the_keyboard_alone(queue: Queue) -> None:
    with queue.site.visit("review") as visit:
        visit.sign_in("rita")
        title(visit)
        visit.see("Reviewed by you")
        visit.picture("review")
        press_key(visit, "a")
        answer_with(visit, "2583")
        press_key(visit, "s")
        answer_with(visit, "1160")
        press_key(visit, "a")
    codes = queue.feedback()
    assert len(codes) == 4
    assert codes[1:3] == [2583, 1160]


def test_undo_brings_the_listing_back(queue: Queue) -> None:
    with queue.site.visit("review") as visit:
        visit.sign_in("rita")
        first = title(visit)
        press_key(visit, "a")
        press_key(visit, "u")
        assert title(visit) == first
    assert queue.feedback() == []


def test_two_reviewers_at_once_never_see_the_same_listing(queue: Queue) -> None:
    with queue.site.visit("review") as one, queue.site.visit("review") as other:
        visits = {"rita": one.sign_in("rita"), "ada": other.sign_in("ada")}
        for _ in range(5):  # a few listings are for two reviewers, but never at the same time
            assert title(visits["rita"]) != title(visits["ada"])
            for visit in visits.values():
                press_key(visit, "a")
    assert len(queue.feedback()) == 10


def test_keys_do_nothing_when_they_are_switched_off(queue: Queue) -> None:
    with queue.site.visit("review") as visit:
        visit.sign_in("rita")
        visit.page.get_by_text("Keys without clicking").click()
        visit.page.get_by_text("Another type is right", exact=True).wait_for()  # without the key in the label
        visit.page.keyboard.press("a")
        visit.page.get_by_role("button", name="That is right").click()
        visit.page.get_by_role("button", name="Undo the last answer", disabled=False).wait_for()
    assert len(queue.feedback()) == 1
