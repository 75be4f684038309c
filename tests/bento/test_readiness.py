"""Readiness: what it vouches for is checked, and each cause is in the log once."""

import logging
import sqlite3

import pytest
from sqlalchemy import Engine

from bento import ledger_health
from ledger import engine as engine_module
from ledger.database import LedgerError, check, open_engine
from ledger.writer import PredictionWriter
from tests.bento.conftest import Service
from tests.monitoring.watching import failing_writes

LISTING = {"designation": "Piscine gonflable ronde"}


@pytest.fixture(autouse=True)
def each_request_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_health, "_KEPT_SECONDS", 0)


def ready(service: Service) -> int:
    return int(service.client.get("/readyz").status_code)


def predict(service: Service) -> int:
    return int(service.client.post("/predict", headers=service.as_("ulf"), json=LISTING).status_code)


def up(service: Service) -> str:
    token = service.settings.required("metrics_token")
    page = service.client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).text
    return next(line for line in page.splitlines() if line.startswith("ledger_up "))


def test_a_full_disk_makes_the_service_unready_until_it_can_write_again(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    assert (predict(service), ready(service), up(service)) == (200, 200, "ledger_up 1.0")
    with failing_writes(), caplog.at_level(logging.WARNING):
        assert [ready(service) for _ in range(3)] == [503] * 3
        assert predict(service) == 503
        assert up(service) == "ledger_up 0.0"
    assert 1 <= caplog.text.count("Not ready: the ledger at") <= 2, "each cause once"
    assert "cannot be written" in caplog.text
    assert ready(service) == 503, "the last request failed"
    assert predict(service) == 200
    assert (ready(service), up(service)) == (200, "ledger_up 1.0")
    assert caplog.text.count("The ledger can be used again") == 1


def test_a_locked_ledger_cannot_be_written(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_WRITE_TIMEOUT", 0.05)
    engine = open_engine(service.settings.database_url)
    holder = sqlite3.connect(service.settings.state_dir / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="cannot be written: OperationalError, SQLITE_BUSY"):
        check(engine)
    holder.execute("ROLLBACK")
    holder.close()
    check(engine)
    engine.dispose()


def test_a_ledger_on_a_read_only_file_system_cannot_be_written(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = engine_module._prepare

    def only_reading(connection: sqlite3.Connection, synchronous: str) -> None:
        prepare(connection, synchronous)
        connection.execute("PRAGMA query_only = ON")

    monkeypatch.setattr(engine_module, "_prepare", only_reading)
    engine = open_engine(service.settings.database_url)
    with pytest.raises(LedgerError, match="cannot be written: OperationalError, SQLITE_READONLY"):
        check(engine)
    engine.dispose()


def test_a_request_that_could_not_be_stored_makes_the_service_unready_though_a_check_succeeds(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> None:
        raise LedgerError("too many predictions wait to be stored: 5,000")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(PredictionWriter, "store", refuse)
        assert [predict(service) for _ in range(20)] == [503] * 20
        assert ready(service) == 503
    assert caplog.text.count("too many predictions wait") == 1
    monkeypatch.setattr(ledger_health, "_FAILING_SECONDS", 0)  # as after ten seconds without a request
    assert ready(service) == 200


def test_a_check_is_kept_for_a_moment_since_anybody_may_ask_for_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Engine] = []
    monkeypatch.setattr(ledger_health, "_KEPT_SECONDS", 600)
    monkeypatch.setattr(ledger_health, "check", checked.append)
    assert [ready(service) for _ in range(20)] == [200] * 20
    assert len(checked) == 1
