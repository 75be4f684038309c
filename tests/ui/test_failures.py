"""A service that refuses or is away: what the page says, and the next step."""

import httpx
import pytest

from monitoring.authentication import LIMITS
from tests.bento.conftest import Service
from tests.ui.conftest import Tab
from ui.services.monitor import MonitorService


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


def test_the_monitor_service_is_given_the_time_that_its_commands_may_take() -> None:
    waits: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={})

    MonitorService(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://monitor")).models()
    assert LIMITS.timeout_seconds is not None
    assert waits[0] > LIMITS.timeout_seconds
