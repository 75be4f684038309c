"""The API's page at `/` and the OpenAPI document behind it; nothing on it is loaded from elsewhere."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response

from bento.authentication import PUBLIC
from bento.schemas import Listing
from web.problems import DOCUMENTED, Problem

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Product types</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="assets/swagger-ui.css">
<div id="api"></div>
<script src="assets/swagger-ui-bundle.js"></script><script src="assets/page.js"></script></html>
"""
_SCRIPT = """SwaggerUIBundle({url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null});
"""
_SECURITY = {
    "password": {
        "type": "oauth2",
        "description": "Name and password give a token for half an hour, sent as Authorization: Bearer.",
        "flows": {"password": {"tokenUrl": "login", "scopes": {}}},
    },
    "token": {
        "type": "apiKey", "in": "header", "name": "token", "description": "The same token, as older clients send it.",
    },
}  # fmt: skip
_MACHINE_SECURITY = {
    "type": "http", "scheme": "bearer", "description": "The token of a program: METRICS_TOKEN, AUTH_SERVICE_TOKEN.",
}  # fmt: skip
# What the gate can answer on any path that is not public, and what on the public ones.
_GUARDED, _OPEN = ("401", "413", "503", "504"), ("413", "503", "504")
_MORE = {
    ("/predict", "post"): ("409", "422"),
    ("/predict/batch", "post"): ("409", "422"),
    ("/feedback", "post"): ("404", "409", "422"),
    ("/review", "get"): ("403", "422"),
    ("/login", "post"): ("401", "422", "429"),
    ("/users", "get"): ("403",),
    ("/users", "post"): ("403", "409", "422"),
    ("/users/{username}", "patch"): ("403", "404", "409", "422"),
    ("/users/{username}", "delete"): ("403", "404", "409", "422"),
}


def create_pages_router() -> APIRouter:
    """Return the routes of the page and its files."""
    router = APIRouter(include_in_schema=False)
    # Found, not imported: the package is wanted for its files only.
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("fastapi-offline is not installed", name="fastapi_offline")
    files = Path(spec.origin).parent / "static"
    for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        _serve_file(router, files / name, kind)

    @router.get("/")
    def page() -> Response:
        return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    @router.get("/assets/page.js")
    def script() -> Response:
        return Response(_SCRIPT, media_type="text/javascript")

    return router


def _serve_file(router: APIRouter, path: Path, kind: str) -> None:
    @router.get(f"/assets/{path.name}")
    def asset() -> FileResponse:
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=86400"})


def describe_security(app: FastAPI, machine_paths: frozenset[str]) -> None:
    """Make the OpenAPI document say what the gate demands and which problems each path can answer with."""
    generate = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {})
        components["securitySchemes"] = {**_SECURITY, "machine": _MACHINE_SECURITY}
        schemas = components.setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        schemas.setdefault("Listing", Listing.model_json_schema())
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                operation["summary"] = operation.pop("description").split("\n")[0].rstrip(".")
                public = path in PUBLIC
                security: list[dict[str, list[str]]] = (
                    [{"machine": []}] if path in machine_paths else [{"password": []}, {"token": []}]
                )
                operation["security"] = [] if public else security
                responses = operation["responses"]
                responses.pop("422", None)
                for status in (*(_OPEN if public else _GUARDED), *_MORE.get((path, method), ())):
                    responses[status] = DOCUMENTED
        return document

    app.openapi = openapi  # type: ignore[method-assign]
