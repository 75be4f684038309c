"""Callers: whom a token was issued to, their roles, and when a token no longer counts. Imports no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Role = Literal["user", "simulator", "reviewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
SIMULATOR: Role = "simulator"  # an account of `run.py simulate`: the rights of a user, and known to be made up
TRUSTED_ROLES: tuple[Role, ...] = ("reviewer", "admin")  # whose feedback counts like the label of a listing


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token was issued to, in which role, and of which generation of the user's tokens it is.

    `user_id` is for ever one user's. `username` is for people: it can be given again. `authenticated_at`: when the user
    gave the password (seconds since 1970); renewed tokens keep it.
    """

    user_id: str
    username: str
    role: Role
    generation: int
    authenticated_at: float = field(default=0.0, compare=False)


class RevokedError(PermissionError):
    """The caller's token no longer counts."""


def is_valid_caller(caller: Caller, active_users: Mapping[str, tuple[str, int]]) -> bool:
    """Return whether a caller's token counts: the user exists, has that role, and no later change voided the token.

    `active_users`: user id -> (role, generation of tokens that count), as `ledger.users.active_users` returns it.
    """
    return active_users.get(caller.user_id) == (caller.role, caller.generation)
