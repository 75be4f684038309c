"""The ids of predictions."""

import os

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # two bits of this digit are the UUID's variant


def new_ids(number: int) -> list[str]:
    """Return the ids for a batch in ascending order: UUIDs of version 4, as `uuid.uuid4` makes them for one prediction.

    They share their first eight digits, which are random, and count in the next four, so that a database adds them to
    one place of its index. With an independent place for each, SQLite takes three times as long to store a batch. The
    other digits are random, which the sample for review needs of the last ones (`ledger.sampling`).
    """
    shared = os.urandom(4).hex()
    digits = os.urandom(10 * number).hex()
    return [_as_uuid(shared, place, digits[20 * place : 20 * place + 19]) for place in range(number)]


def _as_uuid(shared: str, place: int, digits: str) -> str:
    return f"{shared}-{place & 0xFFFF:04x}-4{digits[:3]}-{_VARIANT[digits[3]]}{digits[4:7]}-{digits[7:]}"
