"""The ids of predictions."""

import os

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # two bits of this digit are the UUID's variant


def new_ids(number: int) -> list[str]:
    """Return so many random UUIDs of version 4, as `uuid.uuid4` makes them; for all of them the system is asked once.

    Their last digit is random, which the sample for review needs (`ledger.sampling`).
    """
    digits = os.urandom(16 * number).hex()
    return [_as_uuid(digits[first : first + 32]) for first in range(0, 32 * number, 32)]


def _as_uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"
