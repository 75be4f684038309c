"""A prediction service in this process, on a small real model and a ledger of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
import uvicorn
from sqlalchemy import Engine
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from bento.application import Application, create_prediction_service
from bento.logins import hash_password
from bento.settings import Settings
from bento.tokens import Signer
from catalog.predictor import Predictor
from ledger.database import migrate, open_engine, reading, writing
from ledger.users import User, create_user, find_user

SECRET = "0123456789abcdef-a-secret-of-tests-only"
METRICS_TOKEN = "fedcba9876543210-a-token-of-tests-only"
PASSWORD = "violet-Umbrella-42"


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def listening(application: ASGIApp) -> Iterator[str]:
    """Serve an application on a port of its own, and yield its address."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off", proxy_headers=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@dataclass(frozen=True)
class Service:
    """A running service: `client` sends requests to it, `engine` reads its ledger."""

    client: TestClient
    engine: Engine
    settings: Settings
    application: Application

    def user(self, username: str) -> User:
        """Return the user who has that name now."""
        with reading(self.engine) as connection:
            found = find_user(connection, username)
        assert found is not None
        return found

    def token(self, username: str) -> str:
        """Return a token that the service accepts, without the time that a login takes."""
        return Signer("HS256", SECRET).sign(self.user(username))

    def as_(self, username: str) -> dict[str, str]:
        """Return the header of a user: `ada` is an admin, `rita` a reviewer, `ulf` and `uma` are users."""
        return {"Authorization": f"Bearer {self.token(username)}"}


ROLES = {"ada": "admin", "rita": "reviewer", "ulf": "user", "uma": "user"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def settings_in(folder: Path) -> Settings:
    """Settings of a service whose ledger is in a folder."""
    return Settings(
        state_dir=folder, database_url=f"sqlite:///{folder / 'ledger.db'}", jwt_secret=SECRET,
        metrics_token=METRICS_TOKEN,
    )  # fmt: skip


@pytest.fixture
def start(predictor: Predictor) -> Iterator[Callable[[Settings], Service]]:
    """Starts services with given settings."""
    with ExitStack() as started:
        yield lambda settings: started.enter_context(running(settings, predictor))


@contextmanager
def running(settings: Settings, predictor: Predictor) -> Iterator[Service]:
    """A service while the body runs."""
    migrate(settings.database_url)
    engine = open_engine(settings.database_url)
    with writing(engine) as connection:
        for username, role in ROLES.items():
            create_user(connection, username, hash_password(PASSWORD), role, now())
    application = create_prediction_service(settings, predictor, multiprocess=False)
    yield Service(TestClient(application, raise_server_exceptions=False), engine, settings, application)
    for hook in application.stop:
        anyio.run(hook)
    engine.dispose()


@pytest.fixture
def service(start: Callable[[Settings], Service], settings: Settings) -> Service:
    return start(settings)
