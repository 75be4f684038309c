"""Requests of /predict and /predict/batch, read without FastAPI's parameters: these take as long as the model does."""

from typing import Annotated, Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bento.access import KEY_DESCRIPTION, KEY_HEADER, Key
from bento.schemas import BATCH_VALUES, EXPLAINED_CHARACTERS, Batch, Listing
from catalog.listing_size import is_longer
from web.json_body import FEW_VALUES, json_text

_Body = TypeVar("_Body", bound=BaseModel)
_KEY = {"name": KEY_HEADER, "in": "header", "schema": TypeAdapter(Key).json_schema(), "description": KEY_DESCRIPTION}
EXPLAIN_DESCRIPTION = (
    f"Add the terms that spoke for and against the type, for up to {EXPLAINED_CHARACTERS:,} characters."
)
_EXPLAIN = {
    "name": "explain",
    "in": "query",
    "schema": {"type": "boolean", "default": False},
    "description": EXPLAIN_DESCRIPTION,
}


_TOP = {
    "name": "top",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
    "description": "How many of the likeliest types `top_k` has.",
}


class Options(BaseModel):
    """The options of a request, beside its body. `top`: the length of `top_k`."""

    explain: bool = False
    top: Annotated[int, Field(ge=1, le=10)] = 3
    key: Key | None = None


_DEFAULT = Options()


def describe(schema: str, *, explain: bool = False) -> dict[str, Any]:
    """Return what FastAPI would write into the OpenAPI document about a request."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {
        "requestBody": {"required": True, "content": content},
        "parameters": [_EXPLAIN, _TOP, _KEY] if explain else [_TOP, _KEY],
    }


def read_options(request: Request) -> Options:
    """Return the options in a request's query and headers. Raises `RequestValidationError`."""
    query, key = request.query_params, request.headers.get(KEY_HEADER)
    if not query and key is None:
        return _DEFAULT
    given = {"explain": query.get("explain"), "top": query.get("top"), "key": key}
    try:
        return Options.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def read_listing(body: bytes, *, explain: bool) -> Listing:
    """Return the listing in a body. Raises `RequestValidationError`; with `explain` also for one that is too long."""
    listing = _read(Listing, body, FEW_VALUES)
    if explain:
        require_explainable(listing, "body")
    return listing


def require_explainable(listing: Listing, place: str) -> None:
    """Raise `RequestValidationError`, which names the place in the request, for a listing too long to be explained."""
    if is_longer(listing.designation, listing.description or "", EXPLAINED_CHARACTERS):
        message = f"a text with more than {EXPLAINED_CHARACTERS:,} characters is not explained"
        raise RequestValidationError([{"type": "too_long", "loc": (place,), "msg": message}])


def read_batch(body: bytes) -> Batch:
    """Return the batch in a body. Raises `RequestValidationError`, as FastAPI does."""
    return _read(Batch, body, BATCH_VALUES)


def _read(model: type[_Body], body: bytes, most_values: int) -> _Body:
    try:
        return model.model_validate_json(json_text(body, most_values))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**entry, "loc": ("body", *entry["loc"])} for entry in errors]) from None
