"""Errors of other rooms are shown as sentences."""

import pytest

from terminal.errors import CommandError, reported


def test_errors_of_the_named_kinds_become_the_commands_own() -> None:
    with pytest.raises(CommandError, match=r"^the ledger is away$") as raised, reported(OSError, ValueError):
        raise ValueError("the ledger is away")
    assert isinstance(raised.value.__cause__, ValueError)


def test_other_errors_pass() -> None:
    with pytest.raises(TypeError), reported(OSError, ValueError):
        raise TypeError("a mistake in the program")
