"""Who sent a request: bearer tokens, passwords in HTTP Basic, and the caller that a route gets."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request
from starlette.types import ASGIApp, Scope

from ledger.callers import Caller
from web.problems import unauthorised

Headers = Mapping[bytes, bytes]
_FOR_PROGRAMS = "this path is for programs that know its token"
Authenticate = Callable[[Scope, Headers], ASGIApp | None]  # returns the refusal, or None for a request that may pass


class Authentication:
    """Decides by path who may ask. Every path that is not public needs a token.

    `public`: paths for everybody; the scope of a request for one gets `anonymous`. `program_tokens`: path -> the bearer
    token of the program that may ask for it; the scope then gets `program`, the path. `others`: decides about all other
    paths.
    """

    __slots__ = ("_others", "_program_tokens", "_public")

    def __init__(self, public: frozenset[str], program_tokens: Mapping[str, str], others: Authenticate) -> None:
        """Raise `ValueError` for an empty token, which a request without credentials would match."""
        if not all(program_tokens.values()):
            raise ValueError("the token of a program must not be empty")
        self._public = public
        self._program_tokens = {path: token.encode() for path, token in program_tokens.items()}
        self._others = others

    def __call__(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """Return the refusal of a request, or None when it may pass."""
        path: str = scope["path"]
        expected = self._program_tokens.get(path)
        if expected is not None:
            if not same_secret(bearer_token(headers), expected):
                return unauthorised(_FOR_PROGRAMS)
            scope["program"] = path
            return None
        if path in self._public:
            scope["anonymous"] = True
            return None
        return self._others(scope, headers)


def bearer_token(headers: Headers) -> bytes:
    """Return the bearer token of a request (RFC 6750); empty when it has none."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def basic_password(headers: Headers) -> bytes:
    """Return the password of a request's HTTP Basic credentials (RFC 7617); empty when it has none."""
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def same_secret(given: bytes, expected: bytes) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(given, expected)


async def caller_of(request: Request) -> Caller:  # async: FastAPI runs other dependencies in a thread
    """Return the caller that the gate has authenticated."""
    return cast(Caller, request.scope["caller"])


Authenticated = Annotated[Caller, Depends(caller_of)]


async def only_programs(request: Request) -> None:
    """Refuse a request that the gate let in for another path than that of the route which answers it.

    Every route of a program depends on this. The router may read a path otherwise than the gate, for example leave out
    a prefix (`root_path`).
    """
    if request.scope.get("program") != request.scope["route"].path:
        raise HTTPException(401, _FOR_PROGRAMS, {"WWW-Authenticate": "Bearer"})


def require(*roles: str) -> Callable[[Caller], Awaitable[None]]:
    """Return a dependency that answers 403 to callers of other roles."""

    async def check(caller: Authenticated) -> None:
        if caller.role not in roles:
            raise HTTPException(403, f"this needs the role {' or '.join(roles)}")

    return check
