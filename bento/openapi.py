"""The OpenAPI document: what the gate adds to the routes' own descriptions."""

from functools import cache
from typing import Any

from fastapi import FastAPI

from bento.authentication import PUBLIC
from bento.schemas import Batch, Listing
from web.problems import Problem, problem_responses

_SECURITY = {
    "password": {
        "type": "oauth2",
        "description": "Name and password give a token for half an hour, sent as Authorization: Bearer.",
        "flows": {"password": {"tokenUrl": "login", "scopes": {}}},
    },
    "token": {
        "type": "apiKey", "in": "header", "name": "token", "description": "The same token, as older clients send it.",
    },
    "machine": {
        "type": "http", "scheme": "bearer",
        "description": "The token of a program: METRICS_TOKEN, AUTH_SERVICE_TOKEN.",
    },
}  # fmt: skip
_USER: list[dict[str, list[str]]] = [{"password": []}, {"token": []}]
_PROGRAM: list[dict[str, list[str]]] = [{"machine": []}]
_OF_GATE = (400, 408, 413, 503, 504)  # on every path; 401 on those that are not public


def describe_gate(app: FastAPI, program_paths: frozenset[str]) -> None:
    """Add to an application's OpenAPI document which token each path needs, and the problems of the gate."""
    generate = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {})
        components["securitySchemes"] = _SECURITY
        schemas = components.setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for model in (Listing, Batch):  # which /predict and /predict/batch refer to by name
            schemas.setdefault(model.__name__, model.model_json_schema())
        schemas["Batch"]["properties"]["listings"]["items"] = {"$ref": "#/components/schemas/Listing"}
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["summary"] = operation.pop("description").split("\n")[0].rstrip(".")
                public = path in PUBLIC
                operation["security"] = [] if public else _PROGRAM if path in program_paths else _USER
                problems = problem_responses(*_OF_GATE, *(() if public else (401,)))
                operation["responses"] |= {str(status): response for status, response in problems.items()}
        return document

    app.openapi = openapi  # type: ignore[method-assign]
