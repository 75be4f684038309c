"""Review in a real browser: by keyboard alone, by two people at once, and back again."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.synthetic import generate
from tests.bento.conftest import PASSWORD, Service, listening
from tests.browser import chromium
from tests.system.workspace import Workspace
from tests.ui.browsing import PHONE, Visitor, served

pytestmark = pytest.mark.browser
_LISTINGS = 12


@dataclass(frozen=True)
class Queue:
    """The page on a service with listings to review."""

    service: Service
    address: str
    browser: Any

    def reviewer(self, username: str, **context: Any) -> Visitor:
        return Visitor(self.browser, self.address, **context).sign_in("review", username, PASSWORD)

    def feedback(self) -> list[tuple[str, int]]:
        """Return what was given, as (prediction, code), in this order."""
        items = self.service.client.get("/me/predictions?limit=200", headers=self.service.as_("ulf")).json()["items"]
        given = sorted(
            (said["given_at"], item["prediction_id"], said["correct_code"])
            for item in items
            for said in item["feedback"]
        )
        return [(prediction, code) for _, prediction, code in given]


@pytest.fixture
def queue(service: Service, tmp_path: Path) -> Iterator[Queue]:
    for title, description in generate(200, seed=3)[["designation", "description"]].head(_LISTINGS).to_numpy():
        listing = {"designation": title, "description": description or None}
        assert service.client.post("/predict", json=listing, headers=service.as_("ulf")).status_code == 200
    with ExitStack() as stack:
        address = stack.enter_context(listening(service.application))
        page = stack.enter_context(served(Workspace(tmp_path), address, "http://127.0.0.1:9"))
        yield Queue(service, page, stack.enter_context(chromium()))


def title(reviewer: Visitor) -> str:
    """The title of the listing in hand."""
    words: str = reviewer.page.locator(".listing .title").inner_text()
    return words


def press_key(reviewer: Visitor, key: str) -> None:
    """Press a key, and wait for the listing that follows."""
    before = title(reviewer)
    reviewer.page.keyboard.press(key)
    reviewer.page.wait_for_function(
        "before => document.querySelector('.listing .title')?.innerText !== before", arg=before
    )
    reviewer.settle()


def test_five_listings_are_reviewed_by_the_keyboard_alone(queue: Queue) -> None:
    rita = queue.reviewer("rita")
    assert rita.faults() == []
    rita.picture("ui-review")
    press_key(rita, "a")
    press_key(rita, "a")
    rita.page.keyboard.press("t")
    rita.page.keyboard.type("2583")
    press_key(rita, "Enter")
    press_key(rita, "s")
    rita.page.keyboard.press("t")
    rita.page.keyboard.type("1160")
    press_key(rita, "Enter")
    codes = [code for _, code in queue.feedback()]
    assert len(codes) == 4
    assert (codes[2], codes[3]) == (2583, 1160)


def test_undo_brings_the_listing_back(queue: Queue) -> None:
    rita = queue.reviewer("rita")
    first = title(rita)
    press_key(rita, "a")
    press_key(rita, "u")
    assert title(rita) == first
    assert queue.feedback() == []


def test_two_reviewers_at_once_never_see_the_same_listing(queue: Queue) -> None:
    rita, ada = queue.reviewer("rita"), queue.reviewer("ada")
    seen: dict[str, set[str]] = {"rita": set(), "ada": set()}
    for _ in range(5):
        for name, reviewer in (("rita", rita), ("ada", ada)):
            seen[name].add(title(reviewer))
        for reviewer in (rita, ada):
            press_key(reviewer, "a")
    assert len(seen["rita"]) == len(seen["ada"]) == 5
    assert not seen["rita"] & seen["ada"]


def test_keys_do_nothing_when_they_are_switched_off(queue: Queue) -> None:
    rita = queue.reviewer("rita")
    rita.page.get_by_text("Keys without clicking").click()
    rita.settle()
    rita.page.keyboard.press("a")
    rita.settle()
    assert queue.feedback() == []


def test_the_page_fits_a_phone_in_the_dark(queue: Queue) -> None:
    rita = queue.reviewer("rita", viewport=PHONE, color_scheme="dark")
    assert not rita.is_wider_than_the_screen()
    assert rita.faults() == []
    rita.press("That is right")
    assert len(queue.feedback()) == 1
