"""Problem documents: what an application answers to errors, and what it keeps to itself."""

import pytest
from fastapi import HTTPException
from pydantic import BaseModel
from starlette.testclient import TestClient

from web.application import create_app


class Body(BaseModel):
    number: int


@pytest.fixture
def client() -> TestClient:
    app = create_app("Example")

    @app.get("/refused")
    def refused() -> None:
        raise HTTPException(429, "too many", {"Retry-After": "7"})

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the disk is on fire")

    @app.post("/number")
    def number(body: Body) -> int:
        return body.number

    return TestClient(app, raise_server_exceptions=False)


def test_a_refusal_is_a_problem_document_with_its_headers(client: TestClient) -> None:
    answer = client.get("/refused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "7"
    assert answer.json() == {
        "type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "too many",
    }  # fmt: skip


def test_an_unknown_path_and_a_wrong_method_are_problem_documents(client: TestClient) -> None:
    assert client.get("/nowhere").json()["status"] == 404
    assert client.get("/number").json()["status"] == 405
    assert client.get("/refused/").json()["status"] == 404  # no redirect


def test_a_failure_hides_its_cause(client: TestClient) -> None:
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["detail"] == "the service failed; its log says why"
    assert "fire" not in answer.text


def test_wrong_fields_are_named_without_what_was_sent(client: TestClient) -> None:
    answer = client.post("/number", json={"number": "hunter2"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "body.number"
    assert "hunter2" not in answer.text


def test_there_are_no_documentation_pages(client: TestClient) -> None:
    assert [client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]
    assert client.get("/openapi.json").status_code == 200
