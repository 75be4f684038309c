"""Callers: which tokens count, and that nothing of a database is loaded to know it."""

import subprocess
import sys
from dataclasses import replace

import pytest

from ledger.callers import ROLES, TRUSTED_ROLES, Caller, is_valid_caller
from tests.conftest import ROOT

ACTIVE = {"id-of-alice": ("user", 3)}
ALICE = Caller("id-of-alice", "alice", "user", 3)


def test_a_token_of_an_active_user_with_its_role_and_generation_counts() -> None:
    assert is_valid_caller(ALICE, ACTIVE)


@pytest.mark.parametrize(
    "caller",
    [
        replace(ALICE, generation=2),
        replace(ALICE, role="admin"),
        replace(ALICE, user_id="id-of-another-alice"),
    ],
)
def test_an_older_token_another_role_and_an_unknown_user_do_not_count(caller: Caller) -> None:
    assert not is_valid_caller(caller, ACTIVE)


def test_trusted_roles_are_roles() -> None:
    assert set(TRUSTED_ROLES) < set(ROLES)


def test_callers_load_no_database() -> None:
    script = "import sys; sys.modules['sqlalchemy'] = None; import ledger.callers"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
