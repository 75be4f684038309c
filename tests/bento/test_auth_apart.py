"""Auth as a service of its own: only it signs tokens, and other services refuse the tokens that it voids.

The system that this one replaces had these two services too: its clients are served as they were.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from bento import revocations
from bento.application import create_auth_service
from bento.logins import hash_password
from bento.revocations import RemoteAuth, StaleError
from bento.settings import Settings
from bento.tokens import TokenError
from ledger.database import migrate, open_engine, writing
from ledger.users import create_user
from tests.bento.conftest import METRICS_TOKEN, PASSWORD, ROLES, Service, listening, now

SERVICE_TOKEN = "aa11bb22cc33dd44-for-the-list-of-revocations"


@dataclass(frozen=True)
class Auth:
    """The auth service on a port of its own."""

    url: str

    def log_in(self, username: str) -> str:
        answer = httpx.post(f"{self.url}/login", data={"username": username, "password": PASSWORD})
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def as_admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.log_in('ada')}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, json=body).raise_for_status()


@pytest.fixture
def auth(tmp_path: Path) -> Iterator[Auth]:
    settings = Settings(
        state_dir=tmp_path / "auth", database_url=f"sqlite:///{tmp_path / 'auth' / 'ledger.db'}",
        metrics_token=METRICS_TOKEN, auth_service_token=SERVICE_TOKEN,
    )  # fmt: skip
    migrate(settings.database_url)
    engine: Engine = open_engine(settings.database_url)
    with writing(engine) as connection:
        for username, role in ROLES.items():
            create_user(connection, username, hash_password(PASSWORD), role, now())
    with listening(create_auth_service(settings)) as url:
        yield Auth(url)
    engine.dispose()


@pytest.fixture
def remote(auth: Auth) -> RemoteAuth:
    remote = RemoteAuth(auth.url, SERVICE_TOKEN, None)
    anyio.run(remote.refresh)
    return remote


def test_other_services_verify_its_tokens_with_the_published_key(auth: Auth, remote: RemoteAuth) -> None:
    token = auth.log_in("rita")
    caller = remote.verify(token)
    assert (caller.username, caller.role) == ("rita", "reviewer")
    renewed = httpx.post(f"{auth.url}/renew", headers={"token": token}).json()["access_token"]
    again = remote.verify(renewed)
    assert (again, again.authenticated_at) == (caller, caller.authenticated_at)


@pytest.mark.parametrize("change", ["deleted", "demoted"])
def test_a_voided_token_is_refused_after_the_next_refresh(auth: Auth, remote: RemoteAuth, change: str) -> None:
    token = auth.log_in("rita")
    if change == "deleted":
        auth.as_admin("DELETE", "/users/rita")
    else:
        auth.as_admin("PATCH", "/users/rita", {"role": "user"})
    anyio.run(remote.refresh)
    with pytest.raises(TokenError):
        remote.verify(token)
    if change == "demoted":
        assert remote.verify(auth.log_in("rita")).role == "user"


def test_refreshes_are_frequent_enough_to_void_tokens_within_a_minute() -> None:
    assert revocations._EVERY < revocations.STALE <= 60


def test_without_a_fresh_list_no_token_is_accepted(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    token = auth.log_in("rita")
    unheard = RemoteAuth(auth.url, SERVICE_TOKEN, None)
    with pytest.raises(StaleError):
        unheard.verify(token)
    anyio.run(unheard.refresh)
    unheard.verify(token)
    monkeypatch.setattr(revocations, "STALE", 0)
    with pytest.raises(StaleError):
        unheard.verify(token)


@pytest.mark.parametrize("wrong", [[], {"ada": None}, {"ada": "soon"}, None])
def test_an_answer_of_another_shape_ends_neither_the_start_nor_the_refreshing(
    auth: Auth, monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    token, get, asked = auth.log_in("rita"), httpx.AsyncClient.get, []

    async def answer(client: httpx.AsyncClient, url: str, **more: Any) -> httpx.Response:
        asked.append(url)
        if len(asked) < 4:
            return httpx.Response(200, json=wrong, request=httpx.Request("GET", url))
        return await get(client, url, **more)

    async def follow() -> None:
        started = RemoteAuth(auth.url, SERVICE_TOKEN, None)
        await started.start()
        assert not started.fresh
        with anyio.fail_after(60):
            while not started.fresh:
                await anyio.sleep(0.05)
        assert started.verify(token).username == "rita"
        await started.stop()

    pause = asyncio.sleep
    monkeypatch.setattr(revocations.asyncio, "sleep", lambda _: pause(0.01))
    monkeypatch.setattr(httpx.AsyncClient, "get", answer)
    anyio.run(follow)


def test_the_list_needs_the_token_of_services(auth: Auth) -> None:
    assert httpx.get(f"{auth.url}/revocations").status_code == 401
    token = auth.log_in("ada")
    assert httpx.get(f"{auth.url}/revocations", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    wrong = RemoteAuth(auth.url, "not-the-token", None)
    with pytest.raises(httpx.HTTPStatusError):
        anyio.run(wrong.refresh)


@pytest.fixture
def service(auth: Auth, start: Callable[[Settings], Service], settings: Settings) -> Service:
    """The prediction service, with auth apart."""
    apart = {"jwt_secret": None, "auth_url": auth.url, "auth_service_token": SecretStr(SERVICE_TOKEN)}
    return start(settings.model_copy(update=apart))


def test_a_prediction_service_with_auth_apart_has_no_secret_and_no_login(auth: Auth, service: Service) -> None:
    assert service.client.post("/login", data={"username": "ulf", "password": PASSWORD}).status_code == 404
    headers = {"Authorization": f"Bearer {auth.log_in('ulf')}"}
    listing = {"designation": "Piscine gonflable"}
    assert service.client.post("/predict", headers=headers, json=listing).status_code == 503  # nothing is known yet
    assert service.client.get("/readyz").status_code == 503
    with service.client:  # one event loop, as in a worker
        assert service.client.get("/readyz").status_code == 200
        assert service.client.post("/predict", headers=headers, json=listing).status_code == 200
        shared = {"Authorization": f"Bearer {service.token('ada')}"}
        assert service.client.post("/predict", headers=shared, json=listing).status_code == 401


def test_a_client_of_the_replaced_system_goes_through_its_whole_flow(auth: Auth, service: Service) -> None:
    """What it sends and reads is written out here, as in docs/migrating.md."""
    assert httpx.get(f"{auth.url}/health").json() == {"status": "ok"}
    new = {"username": "leo", "password": PASSWORD, "role": "user"}
    admin = httpx.Client(base_url=auth.url, headers={"Authorization": f"Bearer {auth.log_in('ada')}"})
    assert admin.post("/users", json=new).json()["username"] == "leo"
    assert "leo" in {user["username"] for user in admin.get("/users").json()}
    login = httpx.post(f"{auth.url}/login", data={"username": "leo", "password": PASSWORD}).json()
    assert login["token_type"] == "bearer"
    headers = {"token": login["access_token"]}
    listing = {"designation": "Piscine gonflable ronde", "description": "<p>avec pompe</p>"}
    with service.client as client:  # one event loop, as in a worker
        assert client.get("/health").json()["status"] == "healthy"
        assert client.post("/predict", json=listing).status_code == 401
        predicted = client.post("/predict", headers=headers, json=listing).json()
        assert predicted["predicted_class"] == "Pool & accessories"
        assert 0 < predicted["confidence"] <= 1
        feedback = listing | {"predicted_label": predicted["predicted_class"], "correct_label": "Childrens toys"}
        given = client.post("/feedback", headers=headers, json=feedback)
        assert (given.status_code, given.json()["status"]) == (200, "success")
        assert given.json()["prediction_id"] == predicted["prediction_id"]
        never_asked = client.post("/feedback", headers=headers, json=feedback | {"designation": "Canapé"})
        assert never_asked.status_code == 404
        assert client.get("/model-info", headers=headers).json()["model_version"] == predicted["model_version"]
    assert admin.patch("/users/leo", json={"role": "reviewer"}).json()["role"] == "reviewer"
    assert admin.delete("/users/leo").status_code == 204
    admin.close()
    assert httpx.post(f"{auth.url}/login", data={"username": "leo", "password": PASSWORD}).status_code == 401
