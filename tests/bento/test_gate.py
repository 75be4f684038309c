"""The gate of the service: closed by default, with limits, and without users' text in metrics and logs."""

import logging
from collections.abc import AsyncIterator, Callable

import anyio
import httpx
import pytest

from bento.answerer import ListingAnswerer
from bento.authentication import PUBLIC
from bento.settings import Settings
from tests.bento.conftest import METRICS_TOKEN, Service

Start = Callable[[Settings], Service]
LISTING = {"designation": "Piscine gonflable ronde"}


def test_every_path_that_is_not_public_needs_a_token(service: Service) -> None:
    documented = service.client.get("/openapi.json").json()["paths"]
    hidden = [
        "/docs",
        "/redoc",
        "/docs.json",
        "/schema.json",
        "/static_content/x.js",
        "/healthz",
        "/nowhere",
        "/users/",
    ]
    for path in [*documented, *hidden]:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"):
            answer = service.client.request(method, path.replace("{user}", "ada"))
            assert (answer.status_code == 401) == (path not in PUBLIC), (method, path, answer.status_code)


def test_only_callers_learn_that_a_path_does_not_exist(service: Service) -> None:
    assert service.client.get("/nowhere").status_code == 401
    answer = service.client.get("/nowhere", headers=service.as_("ulf"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"}


def test_every_answer_carries_the_security_headers(service: Service) -> None:
    for path in ("/", "/health", "/me", "/nowhere", "/metrics", "/assets/swagger-ui.css"):
        headers = service.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert len(headers.get_list("content-security-policy")) == 1


def test_metrics_need_the_scrape_token_and_no_user_may_read_them(service: Service) -> None:
    assert service.client.get("/metrics").status_code == 401
    assert service.client.get("/metrics", headers=service.as_("ada")).status_code == 401
    answer = service.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200
    assert 'model_info{name="rakuten",version="7"} 1.0' in answer.text


def test_requests_are_counted_by_route_template_and_metrics_show_no_user_data(service: Service) -> None:
    title = "Secret birthday present for Zoe"
    service.client.post("/predict", headers=service.as_("ulf"), json={"designation": title})
    service.client.delete("/users/somebody", headers=service.as_("ada"))
    for number in range(30):
        service.client.get(f"/random-{number}", headers=service.as_("ulf"))
    page = service.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    assert 'http_requests_total{method="POST",route="/predict",status="200"} 1.0' in page
    assert 'http_requests_total{method="DELETE",route="/users/{user}",status="404"} 1.0' in page
    assert 'http_requests_total{method="GET",route="unknown",status="404"} 30.0' in page
    assert "http_requests_in_flight 1.0" in page  # this very one
    for word in ("Secret", "Zoe", "somebody", "random-1", "ulf"):
        assert word not in page


@pytest.fixture
def small(start: Start, settings: Settings) -> Service:
    return start(settings.model_copy(update={"max_body_bytes": 2_000, "body_timeout_seconds": 0.2}))


def test_a_body_that_is_announced_as_too_large_is_refused_unread(small: Service) -> None:
    answer = small.client.post("/predict", headers=small.as_("ulf"), json={"designation": "x" * 3_000})
    assert answer.status_code == 413
    assert "2,000 bytes" in answer.json()["detail"]


def test_a_body_that_exceeds_the_limit_while_it_is_read_is_refused(small: Service) -> None:
    def chunks() -> list[bytes]:
        return [b'{"designation": "', *[b"x" * 500] * 8, b'"}']

    answer = small.client.post("/predict", headers=small.as_("ulf"), content=iter(chunks()))
    assert answer.status_code == 413


def test_a_body_that_does_not_end_is_answered_408(small: Service) -> None:
    async def attempt() -> httpx.Response:
        async def slowly() -> AsyncIterator[bytes]:
            yield b'{"designation": '
            await anyio.sleep(5)
            yield b'"x"}'

        transport = httpx.ASGITransport(small.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post("/predict", headers=small.as_("ulf"), content=slowly())

    answer = anyio.run(attempt)
    assert answer.status_code == 408
    assert answer.json()["detail"] == "the body did not arrive within 0.2 s"


def test_a_failure_is_logged_without_users_text_and_answered_without_its_cause(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(ListingAnswerer, "answer", broken)
    with caplog.at_level(logging.INFO):
        answer = service.client.post("/predict", headers=service.as_("ulf"), json={"designation": "Secret present"})
    assert answer.status_code == 500
    assert answer.json()["detail"] == "the service failed; its log says why"
    assert "the disk is on fire" in caplog.text
    assert "Secret present" not in caplog.text
