"""Callers: which tokens count, and that nothing of a database is loaded to know it."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.callers import ROLES, TRUSTED_ROLES, Caller, is_valid_caller
from tests.conftest import ROOT

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
ACTIVE = {"alice": ("user", SINCE)}
ALICE = Caller("alice", "user", SINCE.timestamp())


def test_a_token_of_an_active_user_with_its_role_counts_from_valid_from_on() -> None:
    assert is_valid_caller(ALICE, ACTIVE)
    assert is_valid_caller(replace(ALICE, issued_at=ALICE.issued_at + 1), ACTIVE)


@pytest.mark.parametrize(
    "caller",
    [
        replace(ALICE, issued_at=ALICE.issued_at - 0.001),
        replace(ALICE, role="admin"),
        replace(ALICE, username="bob"),
    ],
)
def test_an_older_token_another_role_and_an_unknown_user_do_not_count(caller: Caller) -> None:
    assert not is_valid_caller(caller, ACTIVE)


def test_trusted_roles_are_roles() -> None:
    assert set(TRUSTED_ROLES) < set(ROLES)


def test_callers_load_no_database() -> None:
    script = "import sys; sys.modules['sqlalchemy'] = None; import ledger.callers"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
