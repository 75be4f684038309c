"""How a request uses the ledger: every transaction first checks that its caller is still valid."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import FastAPI, Header, Request
from pydantic import StringConstraints
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from ledger.callers import Caller, RevokedError, is_valid_caller
from ledger.database import LedgerError, reading, writing
from ledger.receipts import KeyReuseError, run_once
from ledger.retention import empty_log
from ledger.users import active_users
from web.problems import problem, unauthorised, unavailable

logger = logging.getLogger("bento")

KEY_HEADER = "Idempotency-Key"
KEY_DESCRIPTION = "Any text of your own: a repetition with the same key has no second effect and gets the first answer."
Key = Annotated[str, StringConstraints(max_length=200, pattern=r"^[\x21-\x7e]+$")]
IdempotencyKey = Annotated[Key | None, Header(alias=KEY_HEADER, description=KEY_DESCRIPTION)]


class Access:
    """Transactions for callers. `check_callers`: users live in this database; otherwise the gate has checked them."""

    def __init__(self, engine: Engine, *, check_callers: bool) -> None:
        self.engine = engine
        self.check_callers = check_callers

    @contextmanager
    def reading(self, caller: Caller) -> Iterator[Connection]:
        """Open a transaction that reads. Raises `RevokedError`."""
        with reading(self.engine) as connection:
            self._admit(connection, caller)
            yield connection

    @contextmanager
    def writing(self, caller: Caller) -> Iterator[Connection]:
        """Open a transaction that writes. Raises `RevokedError`."""
        with writing(self.engine) as connection:
            self._admit(connection, caller)
            yield connection

    def run_once(
        self, caller: Caller, key: str | None, request: Sequence[str], effect: Callable[[Connection], tuple[int, str]]
    ) -> tuple[int, str]:
        """Run an effect in a transaction, or return the answer to an earlier request with this key and content.

        Args:
            caller: who asks.
            key: the idempotency key; None: the effect runs in any case.
            request: what the request asks for, to recognise the same request.
            effect: returns status and body.

        Raises `RevokedError`, and `KeyReuseError` for a key that another request has used.
        """

        def admitted(connection: Connection) -> tuple[int, str]:
            self._admit(connection, caller)
            return effect(connection)

        if key is not None:
            with self.reading(caller):  # otherwise an invalid caller could still get an earlier answer
                pass
        digest = fingerprint(*request)
        status, body, _ = run_once(self.engine, caller.user_id, key, digest, admitted, datetime.now(UTC))
        return status, body

    def empty_log(self) -> None:
        """Remove what was erased from the database's log too. The rows are erased already, so a failure is no error."""
        try:
            emptied = empty_log(self.engine)
        except LedgerError as error:
            logger.warning("%s", error)
            emptied = False
        if not emptied:
            logger.warning("The ledger's log still holds what was erased: the next erasure, run or purge empties it")

    def _admit(self, connection: Connection, caller: Caller) -> None:
        if self.check_callers and not is_valid_caller(caller, active_users(connection, [caller.user_id])):
            raise RevokedError


def handle_ledger_errors(app: FastAPI, failed: Callable[[LedgerError], None]) -> None:
    """Make an application answer the ledger's errors with problem documents. `failed` is told why it cannot be used."""

    @app.exception_handler(RevokedError)
    async def revoked(_: Request, _error: RevokedError) -> Response:
        return unauthorised("the token is no longer valid: log in again")

    @app.exception_handler(KeyReuseError)
    async def reused(_: Request, _error: KeyReuseError) -> Response:
        return problem(409, "this Idempotency-Key was used for another request")

    @app.exception_handler(LedgerError)
    async def away(_: Request, error: LedgerError) -> Response:
        failed(error)
        return unavailable("the database does not answer; nothing was stored")


def fingerprint(*parts: str) -> str:
    """Return the SHA-256 of a request's parts, to recognise the same request."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
