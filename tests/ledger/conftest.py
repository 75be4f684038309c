"""A ledger of its own for each test, on SQLite and on a real PostgreSQL."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from ledger.callers import Caller, Role
from ledger.database import migrate, open_engine, writing
from ledger.predictions import PredictionRecord
from ledger.users import create_user
from tests.postgres import postgresql

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[Callable[[str], str]]:
    """Return a function that creates a database from `template0` (empty) or `migrated`, and returns its address."""
    with postgresql() as url:
        admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

        def create(template: str) -> str:
            name = f"ledger_{next(_numbers)}"
            with admin.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            return make_url(url).set(database=name).render_as_string(hide_password=False)

        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE migrated"))
        migrate(make_url(url).set(database="migrated").render_as_string(hide_password=False))
        yield create
        admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty database; on SQLite, of a file that does not exist."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return str(request.getfixturevalue("postgresql_databases")("template0"))


@pytest.fixture
def ledger_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty ledger."""
    if backend == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        migrate(url)
        return url
    return str(request.getfixturevalue("postgresql_databases")("migrated"))


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_engine(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def alice(engine: Engine) -> Caller:
    """A user with a token."""
    return add_user(engine, "alice", "user")


def add_user(engine: Engine, username: str, role: Role) -> Caller:
    with writing(engine) as connection:
        user = create_user(connection, username, "hash", role, NOW)
    return Caller(user.id, username, role, user.generation)


def prediction(user_id: str = "alice", **changes: object) -> PredictionRecord:
    values: dict[str, object] = {
        "id": f"{str(uuid4())[:-1]}1",  # not in the random sample
        "user_id": user_id,
        "designation": "Piscine gonflable",
        "description": "<p>ronde, été</p>",
        "predicted_code": 2583,
        "confidence": 0.75,
        "abstained": False,
        "novelty": False,
        "language": "fr",
        "model_name": "rakuten",
        "model_version": "3",
        "created_at": NOW,
    }
    return PredictionRecord(**{**values, **changes})  # type: ignore[arg-type]
