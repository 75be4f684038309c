"""`run.py simulate` with a running service: what it sends, how it handles refusals, and what it prints."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp, Receive, Scope, Send

import run
from bento.auth import hash_password
from ledger.database import reading, writing
from ledger.feedback import read_feedback
from ledger.tables import FeedbackRow, PredictionRow
from ledger.users import create_user, find_user
from tests.bento.conftest import PASSWORD, Service, listening, now


class Refusing:
    """Refuses every third prediction with a status, like a busy service or one with an expired token."""

    def __init__(self, app: ASGIApp, status: int) -> None:
        self._app, self._status, self._asked = app, status, 0
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/predict"):
            self._asked += 1
            if self._asked % 3 == 1:
                self.refused += 1
                await send({"type": "http.response.start", "status": self._status, "headers": [(b"retry-after", b"0")]})
                await send({"type": "http.response.body", "body": b"{}"})
                return
        await self._app(scope, receive, send)


@pytest.fixture
def address(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PASSWORD", PASSWORD)
    with listening(service.application) as url:
        yield url


def simulate(url: str, *arguments: str, username: str | None = "ada") -> int:
    user = ["--username", username] if username else []
    return run.main(["simulate", "--service", url, *user, "--rate", "5000", *arguments])


def stored(service: Service) -> tuple[int, int]:
    with reading(service.engine) as connection:
        predictions = connection.execute(select(func.count()).select_from(PredictionRow)).scalar_one()
        return predictions, connection.execute(select(func.count()).select_from(FeedbackRow)).scalar_one()


@pytest.mark.parametrize("kind", ["normal", "drifted", "burst", "multilingual"])
def test_every_listing_is_answered_and_the_wanted_share_gets_feedback(
    kind: str, service: Service, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate(address, "--kind", kind, "--requests", "120", "--feedback", "0.5") == 0
    predictions, feedback = stored(service)
    assert predictions == 120
    assert 30 < feedback < 90
    told = capsys.readouterr().out
    assert "120 listings" in told
    assert re.search(rf"Feedback +{feedback} given, [0-9.]+% agreed with the model", told)
    assert re.search(r"Latency +p50 [0-9.]+ ms, p99 [0-9.]+ ms", told)


def test_without_a_name_the_traffic_comes_from_a_simulator_and_is_marked(
    service: Service, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERNAME", "ada")
    for _ in range(2):  # the second time the account exists, and nobody knows its password
        assert simulate(address, "--requests", "30", "--feedback", "1", username=None) == 0
    with reading(service.engine) as connection:
        simulator = find_user(connection, "simulator-1")
        assert simulator is not None
        given = connection.execute(select(FeedbackRow.given_by, FeedbackRow.role)).all()
        assert {tuple(row) for row in given} == {(simulator.id, "simulator")}
        senders = connection.execute(select(PredictionRow.user_id)).scalars().all()
        assert (len(senders), set(senders)) == (60, {simulator.id})
    feedback = read_feedback(service.settings.database_url, "rakuten")
    assert feedback["simulated"].all()
    assert not feedback["trusted"].any()


def test_a_user_who_is_no_admin_creates_no_simulator(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USERNAME", "ulf")
    assert simulate(address, username=None) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "'ulf' is not an admin and cannot create the account 'simulator-1'" in told
    assert "--username ulf" in told


def test_an_account_of_another_role_is_not_taken_over(
    service: Service, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(service.engine) as connection:
        create_user(connection, "simulator-1", hash_password(PASSWORD), "user", now())
    monkeypatch.setenv("USERNAME", "ada")
    assert simulate(address, username=None) == 1
    assert "there is a user 'simulator-1' who is no simulator" in capsys.readouterr().err
    assert service.client.post("/login", data={"username": "simulator-1", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("status", [503, 429, 401])
def test_a_busy_service_and_an_expired_token_cost_nothing_but_time(
    status: int, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PASSWORD", PASSWORD)
    refusing = Refusing(service.application, status)
    with listening(refusing) as url:
        assert simulate(url, "--requests", "20", "--feedback", "0") == 0
    assert refusing.refused >= 5
    assert stored(service)[0] == 20
    assert re.search(r"Errors +0", capsys.readouterr().out)


def test_a_service_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PASSWORD", PASSWORD)
    assert simulate("http://127.0.0.1:9") == 1
    complaint = capsys.readouterr().err
    assert "there is no service at http://127.0.0.1:9" in complaint
    assert "python run.py serve" in complaint


def test_a_wrong_password_is_named(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PASSWORD", "wrong-Umbrella-43")
    assert simulate(address) == 1
    complaint = capsys.readouterr().err
    assert "does not accept the password of 'ada'" in complaint
    assert "wrong-Umbrella-43" not in complaint


def test_without_a_password_the_message_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PASSWORD", raising=False)
    for key in ("STATE_DIR", "ZENML_CONFIG_PATH", "BENTOML_HOME"):
        monkeypatch.setenv(key, str(tmp_path))  # put back afterwards
    assert run.main(["simulate", "--state", str(tmp_path)]) == 1
    assert f"there is no password in {tmp_path / 'admin-password'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--requests", "0"], "--requests must be 1 or more"),
        (["--feedback", "1.5"], "--feedback is a share"),
        (["--rate", "0"], "--rate must be above 0"),
        (["--service", "localhost:3000"], "--service must be an address"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["simulate", *arguments]) == 1
    assert message in capsys.readouterr().err
