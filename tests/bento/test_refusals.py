"""Refused requests leave a trail in the audit table and in the log, which a flood does not fill."""

import logging

import anyio
import pytest
from sqlalchemy import select

from bento import refusals
from ledger.database import reading
from ledger.tables import AuditRow
from tests.bento.conftest import METRICS_TOKEN, Service

FROM = {"address": "testclient"}


def trail(service: Service) -> list[tuple[str | None, str, dict[str, object]]]:
    """Return (id of who asked, route, detail) of the refusals in the audit table."""
    for hook in service.application.stop:
        anyio.run(hook)
    with reading(service.engine) as connection:
        columns = select(AuditRow.actor_id, AuditRow.subject, AuditRow.detail).order_by(AuditRow.id)
        return list(connection.execute(columns.where(AuditRow.event == "request refused")).tuples())


def test_refused_requests_are_in_the_audit_table_with_who_asked(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    ulf, client = service.user("ulf").id, service.client
    before = service.as_("ulf")
    for _ in range(3):  # once for each caller, route and status
        assert client.get("/users", headers=before).status_code == 403
        assert client.delete("/users/ada", headers=before).status_code == 403
        assert client.get("/me", headers={"Authorization": "Bearer forged"}).status_code == 401
    assert client.post("/logout", headers=before).status_code == 204
    assert client.get("/me", headers=before).status_code == 401
    found = trail(service)
    assert {(who, route, detail["status"]) for who, route, detail in found} == {
        (ulf, "/users", 403), (ulf, "/users/{user}", 403), (None, "unknown", 401), (ulf, "/me", 401),
    }  # fmt: skip
    assert len(found) == 4
    said = [record.getMessage() for record in caplog.records if record.name == "bento.refusals"]
    assert "A request to /users from testclient was refused with 403" in said
    assert len(said) == 4
    assert "ulf" not in " ".join(said)


def test_a_flood_of_refusals_fills_neither_the_log_nor_the_audit_table(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refusals, "_AT_MOST", 2)
    with caplog.at_level(logging.WARNING, "bento.refusals"):
        for name in ("ulf", "uma", "rita"):
            for path in ("/users", "/review"):
                service.client.get(path, headers=service.as_(name))
    page = service.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    assert 'http_requests_total{method="GET",route="/users",status="403"} 3.0' in page
    assert len(trail(service)) == 2
    said = [record.getMessage() for record in caplog.records if record.name == "bento.refusals"]
    assert [line[:12] for line in said] == ["A request to"] * 2 + ["Many request"]
