"""What a user has asked: to read page by page, to take away, to erase."""

import pytest

from tests.bento.conftest import Service
from tests.ui.conftest import Tab


def ask(services: Service, username: str, *titles: str) -> None:
    for title in titles:
        answer = services.client.post("/predict", json={"designation": title}, headers=services.as_(username))
        assert answer.status_code == 200


@pytest.fixture
def history(tab: Tab, services: Service) -> Tab:
    """The history of a user who has asked for 27 listings; another user has asked for one."""
    ask(services, "uma", "a secret of somebody else")
    ask(services, "ulf", *(f"Piscine {number}" for number in range(27)))
    return tab.sign_in("ulf").open("history")


def titles(tab: Tab) -> list[str]:
    return list(tab.app.dataframe[0].value["title"])


def test_the_newest_answers_come_first_and_only_the_own(history: Tab) -> None:
    assert not history.app.exception
    assert titles(history) == [f"Piscine {number}" for number in range(26, 1, -1)]
    history.press("Older")
    assert titles(history) == ["Piscine 1", "Piscine 0"]
    history.press("Newer")
    assert titles(history)[0] == "Piscine 26"


def test_all_answers_are_exported(history: Tab) -> None:
    history.press("Export as CSV")
    content = history.app.session_state["history_file"].decode("utf-8-sig")
    assert len(content.splitlines()) == 28
    assert content.startswith("created_at,designation")


def test_erasing_needs_a_confirmation(history: Tab, services: Service) -> None:
    history.press("Erase all")
    assert len(titles(history)) == 25
    history.press("Erase everything")
    history.open("history")
    assert "You have not classified anything yet" in history.shown
    assert services.client.get("/me/predictions", headers=services.as_("uma")).json()["items"]
