"""The OpenAPI document is correct: the service answers every request that it allows as it says."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error, response_schema_conformance, status_code_conformance

from tests.bento.conftest import Service, listening
from tests.browser import chromium
from tests.system.workspace import ROOT


def test_the_page_at_the_root_loads_nothing_from_other_servers(service: Service) -> None:
    page = service.client.get("/")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert loaded == ["data:,", "assets/swagger-ui.css", "assets/swagger-ui-bundle.js", "assets/page.js"]
    for path in loaded[1:]:
        assert service.client.get(f"/{path}").status_code == 200
    assert "script-src 'self';" in page.headers["content-security-policy"]


def test_the_document_says_how_to_authenticate(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["password"]["flows"]["password"]["tokenUrl"] == "login"
    assert (schemes["token"]["in"], schemes["token"]["name"]) == ("header", "token")
    assert document["paths"]["/predict"]["post"]["security"] == [{"password": []}, {"token": []}]
    assert document["paths"]["/metrics"]["get"]["security"] == [{"machine": []}]
    assert document["paths"]["/health"]["get"]["security"] == []


def test_every_reference_in_the_document_leads_to_a_schema(service: Service) -> None:
    answer = service.client.get("/openapi.json")
    referred = set(re.findall(r'"\$ref":\s*"#/components/schemas/([^"]+)"', answer.text))
    assert {"Listing", "Problem", "Prediction"} <= referred
    assert referred <= set(answer.json()["components"]["schemas"])


def test_every_path_documents_its_statuses(service: Service) -> None:
    documented = {
        f"{method.upper()} {path}": set(operation["responses"])
        for path, operations in service.client.get("/openapi.json").json()["paths"].items()
        for method, operation in operations.items()
    }
    public = {"200", "400", "408", "413", "503", "504"}
    guarded = public | {"401"}
    assert documented == {
        "POST /predict": guarded | {"409", "422"},
        "POST /predict/batch": guarded | {"409", "422"},
        "GET /model-info": guarded,
        "POST /feedback": guarded | {"404", "409", "422"},
        "GET /review": guarded | {"403", "422"},
        "POST /review/claim": guarded | {"403", "404", "409", "422"},
        "POST /review/release": guarded - {"200"} | {"204", "403", "404", "422"},
        "GET /review/status": guarded | {"403"},
        "DELETE /feedback/{feedback_id}": guarded - {"200"} | {"204", "404", "422"},
        "DELETE /me/predictions": guarded,
        "GET /me/predictions": guarded | {"422"},
        "GET /predictions/{prediction_id}": guarded | {"404", "422"},
        "POST /login": public | {"401", "422", "429"},
        "POST /renew": guarded,
        "GET /me": guarded,
        "PATCH /me": guarded | {"403", "422", "429"},
        "POST /logout": guarded - {"200"} | {"204"},
        "GET /users": guarded | {"403"},
        "POST /users": guarded - {"200"} | {"201", "403", "409", "422"},
        "PATCH /users/{user}": guarded | {"403", "404", "409", "422"},
        "DELETE /users/{user}": guarded - {"200"} | {"204", "403", "404", "409", "422"},
        "GET /users/{user}/sessions": guarded | {"403", "404", "422"},
        "POST /users/{user}/logout": guarded - {"200"} | {"204", "403", "404", "422"},
        "GET /health": public,
        "GET /livez": public,
        "GET /readyz": public,
        "GET /metrics": guarded,
    }


def test_the_page_about_serving_has_every_path(service: Service) -> None:
    paths = {re.sub(r"{\w+}", "", path) for path in service.client.get("/openapi.json").json()["paths"]}
    table = re.findall(r"^\| (`.+?`) \|", (ROOT / "docs" / "serving.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = {re.sub(r"\b(?:ID|NAME)\b", "", path) for row in table for path in re.findall(r"(/[\w/-]+)", row)}
    assert paths - {"/users/"} == named


def test_requests_that_the_document_allows_are_answered_as_it_says(service: Service) -> None:
    document = schemathesis.openapi.from_asgi("/openapi.json", service.application)
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) >= 15
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def conforms(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=service.as_("ada"), checks=checks)

        conforms()


@pytest.mark.browser
def test_the_page_works_in_a_browser_under_its_own_policy(service: Service) -> None:
    """Takes the documents' picture of the API."""
    with listening(service.application) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address, wait_until="networkidle")
        page.get_by_text("/predict/batch").first.wait_for(timeout=30_000)
        page.screenshot(path=ROOT / "docs" / "images" / "api.png")
    assert not complaints
    assert len(asked) == 5
    assert all(url.startswith(address) for url in asked)
