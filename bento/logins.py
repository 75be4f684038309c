"""Logging in: passwords are checked, failures are counted and limited, and leave a trail."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine

from ledger import throttle, users
from ledger.audit import ANYBODY, LOGGED_IN, Party, record_event
from ledger.database import writing
from ledger.users import User

logger = logging.getLogger("bento.logins")

WINDOW = timedelta(minutes=5)
# OWASP's second recommendation for argon2id: a login takes 26 ms; with the library's defaults it takes 205.
_HASHING = PasswordHash((Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1),))
# Failures in the window: with a name from an address; from an address; with a name from anywhere. The last one refuses
# nobody: whoever sends wrong passwords from everywhere would lock the owner of the name out. From then on an address
# from which that user never logged in has a single try.
_PAIR, _ADDRESS, _NAME = 5, 50, 100


class ThrottledError(Exception):
    """Too many attempts failed; the next one is allowed in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts to log in: try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class _Attempt:
    """What an attempt counts against, as digests."""

    pair: str
    address: str
    name: str
    throttled: str  # marks that the trail says already that this address has to wait

    @classmethod
    def of(cls, username: str, address: str) -> "_Attempt":
        return cls(
            _digest("pair", username, address), _digest("address", address), _digest("name", username),
            _digest("throttled", address),
        )  # fmt: skip


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return _HASHING.hash(password)


def log_in(engine: Engine, username: str, password: str, address: str, now: datetime) -> User | None:
    """Return the user of that name if the password is right, or None. Raises `ThrottledError`.

    Only failures count. Each attempt is counted before the password is checked, in a transaction of its own, so that
    the limits also hold for attempts at the same time in several processes; it is forgotten if the password is right.
    An unknown name takes as long as a wrong password.
    """
    attempt = _Attempt.of(username, address)
    with writing(engine) as connection:
        user = users.find_user(connection, username)
        whose = Party.of(user) if user else ANYBODY  # a name that nobody has may be a password: it is not kept
        known = throttle.is_known_login(connection, _known(user, address))
        subjects = [attempt.pair, attempt.address, attempt.name, attempt.throttled]
        counted = throttle.count_attempts(connection, subjects, now - WINDOW, now)
        seconds = _seconds_to_wait(attempt, counted, now, known=known)
        if not seconds:
            counted_as = throttle.record_attempt(connection, [attempt.pair, attempt.address, attempt.name], now)
        elif attempt.throttled not in counted:  # once in the window: a flood must fill neither the log nor the disk
            throttle.record_attempt(connection, [attempt.throttled], now)
            record_event(connection, ANYBODY, "login throttled", whose, now, address=address)
            logger.warning("Logins from %s are refused for %d s: too many failed", address, seconds)
    if seconds:
        raise ThrottledError(seconds)
    right = _HASHING.verify(password, user.password_hash if user else _nobodys_hash())
    with writing(engine) as connection:
        if user is None or not right:
            record_event(connection, ANYBODY, "login refused", whose, now, address=address)
            logger.warning("A login from %s was refused: name or password is wrong", address)
            return None
        throttle.forget_attempt(connection, counted_as)
        throttle.forget_attempts(connection, [attempt.pair])
        throttle.remember_login(connection, _known(user, address), now)
        record_event(connection, whose, LOGGED_IN, whose, now, address=address)
    return user


def _seconds_to_wait(attempt: _Attempt, counted: dict[str, tuple[int, datetime]], now: datetime, *, known: bool) -> int:
    """Return after how many seconds an attempt is allowed; 0: now. `known`: this user logged in from there before."""
    failed_with_name, _ = counted.get(attempt.name, (0, now))
    limits = {attempt.pair: 1 if failed_with_name >= _NAME and not known else _PAIR}
    if not known:
        limits[attempt.address] = _ADDRESS
    waits = [
        counted[subject][1] + WINDOW - now
        for subject, limit in limits.items()
        if subject in counted and counted[subject][0] >= limit
    ]
    return int(max(waits).total_seconds()) + 1 if waits else 0


def _known(user: User | None, address: str) -> str:
    return _digest("known", user.id if user else "", address)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")
