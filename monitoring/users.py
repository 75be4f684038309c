"""The users of the prediction service: whose a token is, as that service says it."""

import hashlib
import logging
import re
import ssl
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from monitoring.timed_cache import TimedCache

logger = logging.getLogger("monitoring")

_KEPT = 15  # seconds for which an answer is believed
_MOST_KEPT = 1_000  # tokens
_MOST_ASKED = 16  # requests to that service at a time
_TIMEOUT = 5  # seconds for its answer
_LONGEST = 4_096  # bytes of a token
_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # a JWT (RFC 7519)


class User(BaseModel):
    """A user of the prediction service."""

    model_config = ConfigDict(frozen=True)

    username: str
    role: str


class UsersAwayError(Exception):
    """It is not known whose a token is; the message is a sentence about why."""


def may_be_user_token(given: bytes) -> bool:
    """Return whether this has the form of a user's token, so that it makes sense to ask."""
    return len(given) <= _LONGEST and _TOKEN.fullmatch(given) is not None


class Users:
    """Asks the prediction service, or auth where it runs apart, and remembers what it said for 15 seconds.

    Only the SHA-256 of a token is kept. A token that was voided may so be accepted for 15 seconds more.
    """

    def __init__(self, address: str) -> None:
        """`address`: of the service that has `GET /me`, beginning with http:// or https://."""
        self._address = address.rstrip("/")
        self._known: TimedCache[bytes, User | None] = TimedCache(_KEPT, _MOST_KEPT)
        self._tls = ssl.create_default_context()
        self._asking = 0

    async def find(self, token: bytes) -> User | None:
        """Return the user of a token; None for a token that does not count. Raises `UsersAwayError`."""
        digest = hashlib.sha256(token).digest()
        if known := self._known.get(digest):
            return known[0]
        if self._asking >= _MOST_ASKED:
            raise UsersAwayError("too many tokens have to be checked at once")
        self._asking += 1
        try:
            user = await self._ask(token)
        finally:
            self._asking -= 1
        self._known.put(digest, user)
        return user

    async def _ask(self, token: bytes) -> User | None:
        headers = {"Authorization": f"Bearer {token.decode('ascii')}"}
        try:
            # No proxy: the service is on this machine, or in the same network.
            async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, verify=self._tls) as client:
                answer = await client.get(f"{self._address}/me", headers=headers)
            if answer.status_code in (401, 403):
                return None
            return User.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as error:
            logger.warning("Whose a token is cannot be asked at %s: %s", self._address, type(error).__name__)
            raise UsersAwayError(
                f"the service at {self._address}, which knows the users, does not answer, so no token can be checked"
            ) from None
