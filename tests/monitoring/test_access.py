"""What users may do at the monitor service with their own tokens."""

import logging

import pytest

from tests.monitoring.serving import READING, TOKENS, Service, Start, UserService, as_
from tests.system.workspace import free_port, wait_for

READ = ("/", "/history", "/decisions", "/verdicts", "/timeline", "/retraining")
MODELS = ("/models", "/models/1", "/models/compare?first=1&second=2")
CHANGES = ("/retrain", "/rollback")
REASON = {"reason": "new listings"}


@pytest.mark.parametrize("path", READ)
def test_reviewers_admins_and_the_reports_token_read(service: Service, path: str) -> None:
    assert service.read(path).status_code == 200
    statuses = {name: service.ask("GET", path, name).status_code for name in ("ada", "rita", "ulf", "sim", "nobody")}
    assert statuses == {"ada": 200, "rita": 200, "ulf": 403, "sim": 403, "nobody": 401}


@pytest.mark.parametrize("path", MODELS)
def test_only_admins_see_the_versions(service: Service, path: str) -> None:
    assert service.read(path).status_code == 403
    statuses = {name: service.ask("GET", path, name).status_code for name in ("ada", "rita", "ulf")}
    assert statuses == {"ada": 200, "rita": 403, "ulf": 403}


@pytest.mark.parametrize("path", CHANGES)
def test_only_an_admin_s_own_token_changes_something(service: Service, path: str) -> None:
    client = service.client
    refused = [
        client.post(path, json=REASON, headers=READING),
        client.post(path, json=REASON, auth=("anybody", TOKENS.reports)),  # as a browser would send it
        client.post(path, json=REASON, auth=("ada", "ada.of.tests")),
        client.post(path, json=REASON),
        *(service.ask("POST", path, name, json=REASON) for name in ("rita", "ulf", "sim", "nobody")),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 401, 401, 403, 403, 403, 401]
    assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
    assert service.commands == []
    assert service.journal.unfinished is None
    assert service.ask("POST", path, "ada", json=REASON).status_code in (200, 202)


def test_an_answer_about_a_token_is_kept_for_a_while(service: Service, users: UserService) -> None:
    for _ in range(3):
        assert service.ask("GET", "/history", "rita").status_code == 200
        assert service.ask("GET", "/history", "nobody").status_code == 401
    assert users.asked == ["GET /me rita", "GET /me nobody"]


def test_what_is_no_token_of_a_user_is_not_asked_about(service: Service, users: UserService) -> None:
    for token in ("x" * 40, "a.b", "a.b.c.d", "a.b.ü", f"{'a' * 5_000}.b.c"):
        answer = service.client.get("/history", headers={"Authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401
    assert users.asked == []


@pytest.mark.parametrize("status", [500, 503, 429, 302])
def test_while_the_users_are_unknown_nobody_is_let_in_and_a_sentence_says_why(
    service: Service, users: UserService, status: int
) -> None:
    users.status = status
    answer = service.ask("GET", "/history", "ada")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "which knows the users, does not answer, so no token can be checked" in answer.json()["detail"]
    users.status = 200
    assert service.ask("GET", "/history", "ada").status_code == 200, "the failure is not kept"


def test_pages_and_alerts_work_while_the_users_are_away(start: Start) -> None:
    service = start(users_at=f"http://127.0.0.1:{free_port()}")
    assert service.ask("GET", "/history", "ada").status_code == 503
    assert service.read("/history").status_code == 200
    assert service.send() == []


def test_no_token_is_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    service = start(users_at=f"http://127.0.0.1:{free_port()}")
    with caplog.at_level(logging.DEBUG):
        service.ask("GET", "/history", "ada")
    assert "cannot be asked" in caplog.text
    assert as_("ada")["Authorization"].removeprefix("Bearer ") not in caplog.text


def test_a_refused_user_starts_no_retraining(service: Service) -> None:
    assert service.ask("POST", "/retrain", "ulf", json=REASON).status_code == 403
    assert service.ask("POST", "/retrain", "ada", json=REASON).status_code == 202
    wait_for("the retraining has ended", lambda: service.journal.last_end is not None)
    assert len(service.journal.started(9)) == 1
