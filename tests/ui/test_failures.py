"""A service that refuses or is away: what the page says, and the next step."""

import httpx
import pytest

from tests.bento.conftest import Service
from tests.ui.conftest import Tab


def test_too_many_attempts_are_told_with_the_time(tab: Tab) -> None:
    for _ in range(12):
        tab.sign_in("ulf", "wrong-Password-1")
        if "Too many requests" in tab.shown:
            break
    assert "Try again in" in tab.shown


def test_a_service_that_is_away_is_a_sentence_with_the_next_step(
    tab: Tab, services: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(services.client, "request", away)
    tab.sign_in("ulf")
    assert "does not answer. Try again in a minute" in tab.shown
