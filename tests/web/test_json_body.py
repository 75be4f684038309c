"""Bodies in JSON: bounded before they are parsed, and read in one way."""

import json
import time
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.testclient import TestClient

from web.application import create_app
from web.json_body import JsonRoute, read_json


def message(body: bytes, most_values: int = 100) -> str:
    with pytest.raises(RequestValidationError) as caught:
        read_json(body, most_values)
    (error,) = caught.value.errors()
    assert error["loc"] == ("body",)
    return str(error["msg"])


@pytest.mark.parametrize(
    "value", [{}, [], "x", 1.5, None, {"é": ["\u2028", "😀"]}, {"text": 'a, b: [c] {d} "e" \\ ' * 500}, ["\\", '\\"']]
)
def test_a_body_is_read_as_json_in_utf8_with_or_without_a_byte_order_mark(value: Any) -> None:
    for ascii_only in (True, False):
        body = json.dumps(value, ensure_ascii=ascii_only).encode()
        assert read_json(body) == read_json(b"\xef\xbb\xbf" + body) == value


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"'x'", b'{"a": "\xe9"}', b'"\\ud800"', b'{"\\udc00": 1}', b"[" * 99 + b"]" * 99 + b"]", b"9" * 5_000,
     '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-16-le"), '{"a": 1}'.encode("utf-32")],
)  # fmt: skip
def test_what_is_not_json_in_utf8_is_invalid(body: bytes) -> None:
    assert message(body).startswith("Invalid JSON: ")


@pytest.mark.parametrize("levels", [256, 100_000])
def test_deep_nesting_is_invalid(levels: int) -> None:
    assert message(b"[" * levels + b"]" * levels, 10**6).startswith("Invalid JSON: recursion limit exceeded")


@pytest.mark.parametrize(
    "body",
    [b"[" + b"[]," * 99 + b"1]", b"{" + b",".join(b'"%d":1' % number for number in range(50)) + b"}", b"[" * 100,
     b'"a' + b'\\"' * 99 + b'",' + b"[" * 100, b"{" * 100, b'[""' + b',""' * 99 + b"]"],
)  # fmt: skip
def test_a_body_of_too_many_values_is_not_parsed(body: bytes) -> None:
    assert message(body) == "the body has more than 100 values"


def test_what_stands_in_a_text_is_no_value() -> None:
    assert read_json(json.dumps(["[{,:" * 1_000]).encode()) == ["[{,:" * 1_000]


@pytest.mark.parametrize("part", [b'"', b'\\"', b"\\", b'"\\', b'",'])
def test_the_time_to_look_at_a_broken_body_grows_with_its_length_only(part: bytes) -> None:
    def seconds(repeated: int) -> float:
        started = time.process_time()
        with pytest.raises(RequestValidationError):
            read_json(b"[" * 100 + b'"' + part * repeated)
        return time.process_time() - started

    assert seconds(400_000) < 1  # with the square of the length it would be a minute


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int


def test_the_errors_of_a_request_are_few_and_short() -> None:
    app = create_app("Example")
    app.router.route_class = JsonRoute

    @app.post("/number")
    def number(body: Body) -> int:
        return body.number

    client = TestClient(app)
    answer = client.post("/number", json={f"{'x' * 5_000}{number}": 1 for number in range(45)})
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert len(errors) == 21
    assert errors[-1] == {"field": "", "message": "26 more errors are not shown"}
    assert len(answer.content) < 10_000
    assert client.post("/number", json={str(number): 1 for number in range(9_000)}).json()["errors"] == [
        {"field": "body", "message": "the body has more than 100 values"}
    ]
    assert client.post("/number", json={"number": 7}).json() == 7
