"""Who may ask the service: which paths are public, and how a user's token is read."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.types import ASGIApp, Scope

from bento.revocations import StaleError
from bento.tokens import TokenError
from ledger.callers import Caller
from web.authentication import Authentication, Headers, bearer_token
from web.problems import unauthorised, unavailable

PUBLIC: Final = frozenset({
    "/", "/openapi.json", "/assets/swagger-ui-bundle.js", "/assets/swagger-ui.css", "/assets/page.js",
    "/health", "/livez", "/readyz", "/login", "/.well-known/jwks.json",
})  # fmt: skip


def create_authentication(verify: Callable[[str], Caller], program_tokens: Mapping[str, str]) -> Authentication:
    """Return the authentication of the service.

    Args:
        verify: returns whom a token was issued to; raises `TokenError`, or `StaleError` when it cannot be checked now.
        program_tokens: path -> bearer token of the program that may ask for it.
    """

    def identify(scope: Scope, headers: Headers) -> ASGIApp | None:
        token = (bearer_token(headers) or headers.get(b"token", b"")).decode("latin-1")
        if not token:
            return unauthorised("a token is needed: POST /login gives one")
        try:
            scope["caller"] = verify(token)
        except TokenError as error:
            return unauthorised(str(error))
        except StaleError as error:
            return unavailable(str(error))
        return None

    return Authentication(PUBLIC, program_tokens, identify)
