"""A monitor service in this process, and the service that knows the users."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bento.conftest import listening
from tests.monitoring.serving import Service, Start, UserService
from tests.monitoring.watching import python, reporting


@pytest.fixture
def users() -> UserService:
    return UserService()


@pytest.fixture
def start(tmp_path: Path, users: UserService) -> Iterator[Start]:
    with ExitStack() as stack:
        address = stack.enter_context(listening(users))

        def begin(
            training: list[str] | None = None,
            monitoring: list[str] | None = None,
            every: float = 3600,
            users_at: str = address,
        ) -> Service:
            service = Service(
                tmp_path, training or reporting(reason="not better"), monitoring or python("0"), every, users_at
            )
            stack.callback(service.monitor.stop)
            return service

        yield begin


@pytest.fixture
def service(start: Start) -> Service:
    return start()
