"""The ledger as a request may use it: every transaction first checks that its caller is still valid."""

import hashlib
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
from ledger.receipts import KeyReuseError, once
from ledger.users import active_users
from web.problems import problem, unauthorised, unavailable

KEY_HEADER = "Idempotency-Key"
KEY_DESCRIPTION = "Any text of your own: a repetition with the same key has no second effect and gets the first answer."
Key = Annotated[str, StringConstraints(max_length=200, pattern=r"^[\x21-\x7e]+$")]
IdempotencyKey = Annotated[Key | None, Header(alias=KEY_HEADER, description=KEY_DESCRIPTION)]


class Access:
    """`check_callers`: users live in this database, so it says whether a token still counts (else the gate does)."""

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

    def once(
        self, caller: Caller, key: str | None, request: Sequence[str], effect: Callable[[Connection], tuple[int, str]]
    ) -> tuple[int, str]:
        """Run an effect in a transaction, or return the answer that a request with this key and content got before.

        The effect returns status and body. Raises `RevokedError`, and `KeyReuseError` for a key of another request.
        """

        def admitted(connection: Connection) -> tuple[int, str]:
            self._admit(connection, caller)
            return effect(connection)

        if key is not None:
            with self.reading(caller):  # else whoever was shut out could still fetch an earlier answer
                pass
        status, body, _ = once(self.engine, caller.username, key, fingerprint(*request), admitted, datetime.now(UTC))
        return status, body

    def _admit(self, connection: Connection, caller: Caller) -> None:
        if self.check_callers and not is_valid_caller(caller, active_users(connection, [caller.username])):
            raise RevokedError


def handle_ledger_errors(app: FastAPI) -> None:
    """Make an application answer the ledger's errors with problem documents."""

    @app.exception_handler(RevokedError)
    async def revoked(_: Request, _error: RevokedError) -> Response:
        return unauthorised("the token is no longer valid: log in again")

    @app.exception_handler(KeyReuseError)
    async def reused(_: Request, _error: KeyReuseError) -> Response:
        return problem(409, "this Idempotency-Key was used for another request")

    @app.exception_handler(LedgerError)
    async def away(_: Request, _error: LedgerError) -> Response:
        return unavailable("the database does not answer; nothing was stored")


def fingerprint(*parts: str) -> str:
    """Return what tells this request from others: a SHA-256 of its parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
