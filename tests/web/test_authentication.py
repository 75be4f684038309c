"""Who sent a request: bearer tokens, passwords in HTTP Basic, public paths and paths of programs."""

from base64 import b64encode

import pytest
from starlette.types import ASGIApp, Scope

from web.authentication import Authentication, Headers, basic_password, bearer_token
from web.problems import unavailable

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (b"Bearer abc", b"abc"),
        (b"bEARER  abc  ", b"abc"),
        (b"Bearer", b""),
        (b"Bearer ", b""),
        (b"Basic abc", b""),
        (b"abc", b""),
        (b"", b""),
    ],
)
def test_a_bearer_token_is_read(header: bytes, token: bytes) -> None:
    assert bearer_token({b"authorization": header}) == token
    assert basic_password({b"authorization": header}) == b""


@pytest.mark.parametrize(
    ("header", "password"),
    [
        (b"Basic " + b64encode(b"any:secret"), b"secret"),
        (b"BASIC " + b64encode(b":a:b"), b"a:b"),
        (b"Basic " + b64encode(b"no colon"), b""),
        (b"Basic =", b""),
        (b"Basic", b""),
        (b"Basic n\xf6", b""),
    ],
)
def test_a_password_is_read(header: bytes, password: bytes) -> None:
    assert basic_password({b"authorization": header}) == password
    assert bearer_token({b"authorization": header}) == b""


def test_a_request_without_credentials_has_none() -> None:
    assert (bearer_token({}), basic_password({})) == (b"", b"")


def others(_scope: Scope, _headers: Headers) -> ASGIApp | None:
    return unavailable("others decide")


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/open", b"", None),
        ("/open", b"Bearer wrong", None),
        ("/open/", b"", 503),
        ("/metrics", b"Bearer " + TOKEN.encode(), None),
        ("/metrics", b"Bearer " + TOKEN.encode() + b"x", 401),
        ("/metrics", b"Basic " + TOKEN.encode(), 401),
        ("/metrics", b"", 401),
        ("/elsewhere", b"Bearer " + TOKEN.encode(), 503),
    ],
)
def test_the_path_decides_who_may_ask(path: str, header: bytes, status: int | None) -> None:
    authentication = Authentication(frozenset({"/open"}), {"/metrics": TOKEN}, others)
    scope = {"path": path}
    refusal = authentication(scope, {b"authorization": header})
    assert getattr(refusal, "status_code", None) == status
    assert scope.get("anonymous", False) is (path == "/open")
    assert scope.get("program") == ("/metrics" if path == "/metrics" and status is None else None)


def test_a_program_without_a_token_would_let_everybody_in_and_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        Authentication(frozenset(), {"/metrics": ""}, others)
