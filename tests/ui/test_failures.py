"""A service that refuses or is away: what the page says, and the next step."""

import httpx
import pytest

from monitoring.authentication import LIMITS
from tests.bento.conftest import Service
from tests.ui.conftest import Tab
from ui.services import transport
from ui.services.monitor import MonitorService
from ui.services.prediction import PredictionService
from ui.services.transport import ServiceError


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


def test_an_answer_of_something_else_at_the_address_is_an_error_of_the_service() -> None:
    pages = httpx.MockTransport(lambda _: httpx.Response(200, html="<h1>It works</h1>"))
    with httpx.Client(base_url="http://service", transport=pages) as client, pytest.raises(ServiceError) as found:
        PredictionService(client).model_info()
    assert found.value.status == 502


def test_a_cookie_that_a_proxy_gives_to_one_user_is_not_sent_for_another_one() -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Cookie"))
        return httpx.Response(200, json={}, headers={"Set-Cookie": "who=ulf"})

    client = transport.connect("http://service-behind-a-proxy")
    client._transport = httpx.MockTransport(answer)
    for _ in range(2):
        PredictionService(client).model_info()
    assert sent == [None, None]
