"""The API's page at `/`. It loads nothing from other servers."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

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


def create_pages_router() -> APIRouter:
    """Return the routes of the page and its files."""
    router = APIRouter(include_in_schema=False)
    # Not imported: only the package's files are needed.
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
