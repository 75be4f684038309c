"""The FastAPI application that every service starts from."""

from fastapi import FastAPI

from web.problems import handle_problems


def create_app(title: str, version: str = "1", *, openapi_url: str | None = "/openapi.json") -> FastAPI:
    """Return an application without routes: no documentation pages, no redirects, errors as problem documents."""
    app = FastAPI(
        title=title, version=version, openapi_url=openapi_url, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    handle_problems(app)
    return app
