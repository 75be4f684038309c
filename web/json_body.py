"""Bodies in JSON: every route reads them in the same way, and refuses one of too many values before it is parsed.

A parser makes an object of every value, and the validation an error of every wrong field. Both take a hundred times the
memory of the text.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.exceptions import HTTPException

FEW_VALUES: Final = 100  # in the body of a route that says nothing else
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Possessive, so that it never goes back: the time grows with the length of the text, also of one that is broken.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def json_text(body: bytes, most_values: int = FEW_VALUES) -> bytes:
    """Return a body to be parsed as JSON in UTF-8, without a byte order mark.

    Raises `RequestValidationError` for one of more than `most_values` values, field names included.
    """
    # Most bodies have fewer separators than that, those in texts included, and need no closer look.
    if _separators(body) >= most_values and _separators(_STRING.sub(b"", body)) >= most_values:
        raise _invalid("too_long", f"the body has more than {most_values:,} values")
    return body.removeprefix(_BYTE_ORDER_MARK)


def read_json(body: bytes, most_values: int = FEW_VALUES) -> Any:
    """Return the value of a body. Raises `RequestValidationError`, also for lone surrogates and for deep nesting."""
    text = json_text(body, most_values)
    try:
        return from_json(text)
    except ValueError as error:
        raise _invalid("json_invalid", f"Invalid JSON: {error}") from None


class JsonRoute(APIRoute):
    """A FastAPI route whose body is read by `read_json`."""

    most_values = FEW_VALUES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which gets a request that reads its body so."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            wrapped = _JsonRequest(request, self.most_values)
            try:
                return await handle(wrapped)
            except HTTPException:
                if wrapped.refusal is not None:  # FastAPI replaces it by an error that says nothing
                    raise wrapped.refusal from None
                raise

        return handle_json


class _JsonRequest(Request):
    def __init__(self, request: Request, most_values: int) -> None:
        super().__init__(request.scope, request.receive)
        self._most_values = most_values
        self.refusal: RequestValidationError | None = None

    async def json(self) -> Any:
        try:
            return read_json(await self.body(), self._most_values)
        except RequestValidationError as error:
            self.refusal = error
            raise


def _separators(text: bytes) -> int:
    return text.count(b",") + text.count(b":") + text.count(b"[") + text.count(b"{")


def _invalid(kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": kind, "loc": ("body",), "msg": message}])
