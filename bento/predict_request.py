"""A request of /predict, read without FastAPI's parameters: these take as long as the model takes to answer."""

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError

from bento.access import KEY_DESCRIPTION, KEY_HEADER, Key
from bento.schemas import Listing

# What FastAPI would write into the OpenAPI document.
OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Listing"}}},
    },
    "parameters": [
        {
            "name": "explain",
            "in": "query",
            "schema": {"type": "boolean", "default": False},
            "description": "Add the terms that spoke for and against the type.",
        },
        {"name": KEY_HEADER, "in": "header", "schema": TypeAdapter(Key).json_schema(), "description": KEY_DESCRIPTION},
    ],
}


class Options(BaseModel):
    """The options of a request, beside the listing."""

    explain: bool = False
    key: Key | None = None


_DEFAULT = Options()


def read_options(request: Request) -> Options:
    """Return the options in a request's query and headers. Raises `RequestValidationError`."""
    explain, key = request.query_params.get("explain"), request.headers.get(KEY_HEADER)
    if explain is None and key is None:
        return _DEFAULT
    given = {"explain": explain, "key": key}
    try:
        return Options.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def read_listing(body: bytes) -> Listing:
    """Return the listing in a body. Raises `RequestValidationError`, as FastAPI does."""
    try:
        return Listing.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**entry, "loc": ("body", *entry["loc"])} for entry in errors]) from None
