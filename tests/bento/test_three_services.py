"""What the prediction service, auth alone and the monitor service have in common, asked of all three."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import pytest
import yaml
from pydantic import SecretStr
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from bento.application import KEY_FILE, create_auth_service
from bento.tokens import Signer, key_set
from monitoring.authentication import Tokens
from monitoring.decisions import Rules
from monitoring.journal import Journal
from monitoring.local_trainer import LocalTrainer
from monitoring.models import Models
from monitoring.report_folder import ReportFolder
from monitoring.run_py import RunPyCommand
from monitoring.service import MonitorService
from monitoring.users import Users
from tests.bento.conftest import METRICS_TOKEN, Service, listening
from tests.system.workspace import ROOT
from web.secret_store import private_key

Services = list[tuple[ASGIApp, dict[str, dict[str, str]], str]]


@pytest.fixture
def services(service: Service, tmp_path: Path) -> Iterator[Services]:
    """All three services: application, path of a program -> the header of somebody else, a public path."""
    tokens = {"metrics_token": METRICS_TOKEN, "auth_service_token": METRICS_TOKEN[::-1]}
    auth = create_auth_service(service.settings.model_copy(update={k: SecretStr(v) for k, v in tokens.items()}))
    pem = private_key(service.settings.state_dir / KEY_FILE)
    somebody = {"Authorization": f"Bearer {Signer('EdDSA', pem, key_set(pem)[0]).sign(service.user('ada'))}"}
    monitor_tokens = Tokens(metrics="m" * 40, alerts="a" * 40, reports="r" * 40)
    journal = Journal(tmp_path / "journal.db")
    folder = ReportFolder(tmp_path)
    trainer = LocalTrainer(RunPyCommand(["false"], tmp_path), folder, Lock(), journal)
    models = Models(RunPyCommand(["false"], tmp_path), RunPyCommand(["false"], tmp_path), folder)
    with listening(service.application) as users:
        monitor = MonitorService(
            journal, trainer, None, monitor_tokens, Rules(), folder=folder, users=Users(users), models=models
        )
        reader = {"Authorization": f"Bearer {monitor_tokens.reports}"}
        yield [
            (service.application, {"/metrics": service.as_("ada")}, "/health"),
            (auth, {"/metrics": somebody, "/revocations": somebody}, "/health"),
            (monitor.gate, {"/metrics": reader, "/alerts": service.as_("ada")}, "/health"),
        ]
    journal.close()


def test_the_blackbox_exporter_accepts_what_a_service_that_is_up_answers(services: Services) -> None:
    module = yaml.safe_load((ROOT / "monitoring" / "blackbox" / "blackbox.yml").read_text())["modules"]["answers_ok"]
    (expected,) = module["http"]["fail_if_body_not_matches_regexp"]
    for application, _, public in services:
        for path in (public, "/readyz"):
            assert re.search(expected, TestClient(application).get(path).text), path
    assert not re.search(expected, '{"status": 503}')


# What a router, or a proxy, may read as the same path.
ENDINGS = ["%0A", "%0a%0a", "%0D", "%00", "%7F", "%C2%85", "%E2%80%A8", "/", "%2F", "%20", "?x", "#x", ";x", "%3B", "."]


def test_no_spelling_of_a_programs_path_lets_somebody_else_in(services: Services) -> None:
    for application, closed, _ in services:
        client = TestClient(application, raise_server_exceptions=False)
        for path, headers in closed.items():
            spellings = [path, *(path + end for end in ENDINGS), f"/{path}", path.upper(), f"/.{path}", f"/x/..{path}"]
            for spelling in [*spellings, path.replace(path[1], f"%{ord(path[1]):02x}", 1)]:
                for method in ("GET", "POST", "HEAD", "OPTIONS"):
                    answer = client.request(method, f"http://testserver{spelling}", headers=headers)
                    assert answer.status_code in (400, 401, 403, 404), (method, spelling, answer.status_code)


def test_a_route_of_a_program_answers_nobody_whom_the_gate_let_in_for_another_path(services: Services) -> None:
    """As when a server is started with a prefix of paths, which the router leaves out."""
    for application, closed, _ in services:
        client = TestClient(application, raise_server_exceptions=False, root_path="/api")
        for path, headers in closed.items():
            method = "POST" if path == "/alerts" else "GET"
            answer = client.request(method, f"/api{path}", headers=headers, json={"version": "4", "alerts": []})
            assert answer.status_code == 401, (path, answer.text)


def test_every_path_that_answers_get_answers_head_with_the_same_headers_and_no_body(services: Services) -> None:
    for application, _, public in services:
        client = TestClient(application, raise_server_exceptions=False)
        of_predictions_and_auth = ("/livez", "/readyz", "/", "/openapi.json", "/assets/swagger-ui.css")
        for path in (public, *(of_predictions_and_auth if application is not services[2][0] else ())):
            get, head = client.get(path), client.head(path)
            assert (head.status_code, head.headers, head.content) == (200, get.headers, b""), path
            assert get.content


NOT_READABLE = [
    b"", b"{", b"[]", b"\xff\xfe", '{"designation": "é"}'.encode("latin-1"), b'{"x": "\\ud800"}', b'{"\\udfff": 1}',
    b"[" * 50_000, b'{"listings": [' + b"[" * 256 + b"]" * 256 + b"]}", b'{"listings": [{"designation": "\\ud800"}]}',
    '{"listings": [{"designation": "é"}]}'.encode("latin-1"), '{"designation": "x"}'.encode("utf-16"), b"9" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_READABLE)
def test_a_body_that_is_no_json_is_refused_by_every_route_alike(
    service: Service, services: Services, body: bytes
) -> None:
    monitor = TestClient(services[2][0], raise_server_exceptions=False)
    json_body = {"content-type": "application/json"}
    with_token = service.as_("ada") | json_body
    answers = [
        service.client.post(path, headers=headers, content=body)
        for path in ("/predict", "/predict/batch", "/feedback", "/users")
        for headers in (with_token, with_token | {"Idempotency-Key": "k"})
    ]
    answers.append(monitor.post("/alerts", headers={"Authorization": f"Bearer {'a' * 40}"} | json_body, content=body))
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.url


def test_a_byte_order_mark_is_left_out_by_every_route_alike(service: Service, services: Services) -> None:
    monitor = TestClient(services[2][0], raise_server_exceptions=False)
    new_user = {"username": "zoe", "password": "orange-Tricycle-77"}
    statuses = {}
    for client, path, headers, content in (
        (service.client, "/predict", service.as_("ada"), {"designation": "Piscine"}),
        (service.client, "/predict/batch", service.as_("ada"), {"listings": [{"designation": "Piscine"}]}),
        (service.client, "/feedback", service.as_("ada"), {"correct_code": 10}),
        (service.client, "/users", service.as_("ada"), new_user),
        (monitor, "/alerts", {"Authorization": f"Bearer {'a' * 40}"}, {"version": "4", "alerts": []}),
    ):
        body = b"\xef\xbb\xbf" + json.dumps(content).encode()
        statuses[path] = client.post(path, headers=headers | {"content-type": "application/json"}, content=body)
    expected = {"/predict": 200, "/predict/batch": 200, "/feedback": 200, "/users": 201, "/alerts": 202}
    assert {path: answer.status_code for path, answer in statuses.items()} == expected


def test_an_alert_of_many_wrong_labels_is_answered_in_a_few_lines(services: Services) -> None:
    monitor = TestClient(services[2][0], raise_server_exceptions=False)
    alert = {"status": "firing", "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "aa"}
    for labels in ({str(number): 1 for number in range(20_000)}, {str(number): 1 for number in range(40_000)}):
        body = {"version": "4", "alerts": [alert | {"labels": labels}]}
        answer = monitor.post("/alerts", headers={"Authorization": f"Bearer {'a' * 40}"}, json=body)
        assert answer.status_code == 422
        assert len(answer.content) < 500
