"""Callers: whom a token was issued to, their roles, and when a token no longer counts. Imports no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Role = Literal["user", "reviewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
TRUSTED_ROLES: tuple[Role, ...] = ("reviewer", "admin")  # whose feedback counts like the label of a listing


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token was issued to, in which role, and when (seconds since 1970)."""

    username: str
    role: Role
    issued_at: float


class RevokedError(PermissionError):
    """The caller's token no longer counts."""


def is_valid_caller(caller: Caller, active_users: Mapping[str, tuple[str, datetime]]) -> bool:
    """Return whether a caller's token counts: the user exists, has that role, and no later change voided the token.

    `active_users`: name -> (role, time from which tokens are valid), as `ledger.users.active_users` returns it.
    """
    role, valid_from = active_users.get(caller.username, (None, None))
    return role == caller.role and valid_from is not None and caller.issued_at >= valid_from.timestamp()
