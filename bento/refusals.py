"""The trail of refused requests: in the audit table and in the log. Refused logins leave theirs in `bento.logins`."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from sqlalchemy import Engine
from starlette.types import Scope

from ledger.audit import ANYBODY, Party, record_event
from ledger.callers import Caller
from ledger.database import LedgerError, writing
from web.addresses import Network, client_address
from web.gate import route_of

logger = logging.getLogger("bento.refusals")

_WINDOW = 300  # seconds
_AT_MOST = 100  # entries in the window: a flood must fill neither the log nor the disk; the metrics count every request
_LOGIN = "/login"


class RefusalTrail:
    """Notes requests that were answered 401 or 403, once in five minutes for each caller, route and status."""

    def __init__(self, engine: Engine, trusted_proxies: Sequence[Network]) -> None:
        self._engine = engine
        self._trusted_proxies = trusted_proxies
        self._noted: set[tuple[str, str, int]] = set()
        self._since = monotonic()
        self._thread = ThreadPoolExecutor(1, "refusal-trail")  # requests do not wait for it

    def note(self, scope: Scope, status: int) -> None:
        """Note a refused request, unless the trail says it already."""
        caller: Caller | None = scope.get("caller")
        route, address = route_of(scope), client_address(scope, self._trusted_proxies)
        entry = caller.user_id if caller else address, route, status
        if route == _LOGIN or not self._is_new(entry):
            return
        logger.warning("A request to %s from %s was refused with %d", route, address, status)
        self._thread.submit(self._store, Party.of(caller) if caller else ANYBODY, route, address=address, status=status)

    def close(self) -> None:
        """Store what is noted."""
        self._thread.shutdown()

    def _is_new(self, entry: tuple[str, str, int]) -> bool:
        if monotonic() - self._since > _WINDOW:
            self._noted.clear()
            self._since = monotonic()
        if entry in self._noted or len(self._noted) > _AT_MOST:
            return False
        self._noted.add(entry)
        if len(self._noted) > _AT_MOST:
            logger.warning("Many requests are refused: until %d s have passed only the metrics count them", _WINDOW)
            return False
        return True

    def _store(self, who: Party, route: str, **detail: Any) -> None:
        try:
            with writing(self._engine) as connection:
                record_event(connection, who, "request refused", Party(route), datetime.now(UTC), **detail)
        except LedgerError as error:
            logger.warning("A refused request is missing in the audit table: %s", error)
