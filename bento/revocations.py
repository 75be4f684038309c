"""The auth service as a prediction service sees it: its public keys, and whose tokens were voided."""

import asyncio
import logging
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx

from bento.tokens import TokenError, Verifier, public_keys
from ledger.callers import Caller

logger = logging.getLogger("bento.revocations")

_EVERY = 15  # seconds between two requests
STALE = 60  # seconds after which the last list is too old to accept any token
# What a request may fail with, and an answer of another shape than agreed. The next one may be right.
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, TokenError, ValueError, TypeError, AttributeError)
_LEEWAY = 5  # seconds that the clocks of the two machines may differ


class RemoteAuth:
    """Verifies tokens with keys and revocations, which it fetches again and again.

    Without a fresh list of revocations it accepts no token.
    """

    def __init__(self, url: str, service_token: str, fixed_keys: dict[str | None, Any] | None) -> None:
        """`fixed_keys`: the public key from the settings; None: the auth service is asked for it."""
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {service_token}"}
        self._fixed = fixed_keys
        self._verifier = Verifier("EdDSA", fixed_keys or {}, leeway=_LEEWAY)
        self._voided: dict[str, int] = {}
        self._seen_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> bool:
        """Whether the list of revocations is recent enough to rely on."""
        return self._seen_at is not None and monotonic() - self._seen_at < STALE

    def verify(self, token: str) -> Caller:
        """Return whom a token was issued to. Raises `TokenError`, and `StaleError` without a fresh list."""
        if not self.fresh:
            raise StaleError("the auth service does not answer, so no token can be checked")
        caller = self._verifier.verify(token)
        if caller.generation < self._voided.get(caller.user_id, 0):
            raise TokenError("the token is no longer valid: log in again")
        return caller

    async def refresh(self) -> None:
        """Fetch once. Raises one of `_FAILURES` when that fails."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            if self._fixed is None:
                answer = await client.get(f"{self._url}/.well-known/jwks.json")
                self._verifier.trust(public_keys(answer.raise_for_status().json()))
            answer = await client.get(f"{self._url}/revocations", headers=self._headers)
            listed = answer.raise_for_status().json()
            self._voided = {str(user): int(generation) for user, generation in listed.items()}
            self._seen_at = monotonic()

    async def start(self) -> None:
        """Fetch now and keep fetching."""
        with suppress(*_FAILURES):
            await self.refresh()
        self._task = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        """Stop fetching."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(_EVERY if self.fresh else 1)
            try:
                await self.refresh()
            except _FAILURES as error:
                logger.warning("The auth service at %s cannot be asked: %s", self._url, type(error).__name__)


class StaleError(Exception):
    """The list of revocations is too old: the auth service does not answer."""
