"""Errors as problem documents (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_SHOWN_ERRORS = 20
_LONGEST_TEXT = 200  # characters of a field's name, or of a message
_PARTS = 8  # of the path to a field
RETRY_AFTER = 5  # seconds: long enough for a database to come back, short enough for a client to wait


class Problem(BaseModel):
    """What went wrong: `title` names the kind, `detail` this occurrence; `errors` lists the fields that are wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None


_DOCUMENTED = {
    "description": "A problem document (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a FastAPI route that answers problem documents with these statuses."""
    return dict.fromkeys(statuses, _DOCUMENTED)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Return a problem document as a response."""
    content = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    body = json.dumps(content.model_dump(exclude_none=True))  # ASCII: a field's name may hold what UTF-8 cannot encode
    return Response(body, status, dict(headers or {}), MEDIA_TYPE)


def unauthorised(detail: str) -> Response:
    """Return a 401 that asks for a bearer token."""
    return problem(401, detail, {"WWW-Authenticate": "Bearer"})


def unavailable(detail: str) -> Response:
    """Return a 503 that says when to try again."""
    return problem(503, detail, {"Retry-After": str(RETRY_AFTER)})


def failed() -> Response:
    """Return a 500 that hides the cause, which only the log shows."""
    return problem(500, "the service failed; its log says why")


def handle_problems(app: FastAPI) -> None:
    """Make an application answer every error with a problem document."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        # FastAPI answers 400 to some of the bodies that it cannot read, and 422 to all others.
        return problem(422 if error.status_code == 400 else error.status_code, str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def broken(_: Request, _error: Exception) -> Response:
        return failed()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return problem(422, "the request is not valid; errors names the fields", errors=field_errors(error.errors()))


def field_errors(errors: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the field and the message of the first validation errors, and how many more there are.

    The value that was sent is left out, since it may be private. The names of unknown fields are cut.
    """
    shown = [
        {"field": _cut(".".join(_cut(str(part)) for part in entry["loc"][:_PARTS])), "message": _cut(entry["msg"])}
        for entry in errors[:_SHOWN_ERRORS]
    ]
    if len(errors) > _SHOWN_ERRORS:
        shown.append({"field": "", "message": f"{len(errors) - _SHOWN_ERRORS:,} more errors are not shown"})
    return shown


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
