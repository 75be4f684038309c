"""Whether the ledger can be used: it can be read and written now, and the last request that wrote was stored."""

import asyncio
import logging
from time import monotonic

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from bento.metrics import ServiceMetrics
from ledger.database import LedgerError, check

logger = logging.getLogger("bento")

_KEPT_SECONDS = 1  # so long the result of a check holds: anybody may ask for it, and it writes
_FAILING_SECONDS = 10  # so long after the failure of a request, unless one succeeds before: a check writes less than it
_REPEATED_SECONDS = 300  # between two reports of the same cause in the log


class LedgerHealth:
    """What one worker knows about the ledger. Each cause is logged when it appears, and then every five minutes."""

    def __init__(self, engine: Engine, metrics: ServiceMetrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._one_check = asyncio.Lock()
        self._checked_at = self._failed_at = self._logged_at = float("-inf")
        self._found: str | None = None  # by the last check
        self._logged: str | None = None  # the cause that the log shows

    def failed(self, error: LedgerError) -> None:
        """Note that a request could not be stored or read."""
        self._failed_at = monotonic()
        self._log(str(error))

    def succeeded(self) -> None:
        """Note that a request was stored."""
        self._failed_at = float("-inf")

    async def trouble(self) -> str | None:
        """Return a sentence when the ledger cannot be used, or None; the metric `ledger_up` says the same."""
        async with self._one_check:
            if monotonic() - self._checked_at >= _KEPT_SECONDS:
                self._found = await run_in_threadpool(self._check)
                self._checked_at = monotonic()
        found = self._found
        if found is None and monotonic() - self._failed_at < _FAILING_SECONDS:
            found = "the last request could not be stored"
        if found is None and self._logged is not None:
            logger.warning("The ledger can be used again")
            self._logged = None
        self._metrics.ledger_up.set(0 if found else 1)
        return found

    def _check(self) -> str | None:
        try:
            check(self._engine)
        except LedgerError as error:
            self._log(str(error))
            return "the database cannot be read or written"
        return None

    def _log(self, cause: str) -> None:
        if cause != self._logged or monotonic() - self._logged_at >= _REPEATED_SECONDS:
            self._logged, self._logged_at = cause, monotonic()
            logger.warning("Not ready: %s", cause)
