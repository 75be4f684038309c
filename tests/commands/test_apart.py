"""A function in a process of its own returns its value or its error, and loads nothing here."""

import os
import sys

import pytest

from commands.apart import call_apart
from terminal.errors import CommandError


def describe(word: str) -> list[object]:
    import this  # noqa: F401 - a module that prints when it is imported

    return [word, os.getpid()]


def fail() -> None:
    raise CommandError("the stack 'local' is not healthy:\n  orchestrator")


def crash() -> None:
    raise KeyError("name")


def test_the_value_comes_back_and_nothing_is_imported_here() -> None:
    word, process_id = call_apart(describe, "piscine")
    assert word == "piscine"
    assert process_id != os.getpid()
    assert "this" not in sys.modules


def test_an_error_is_raised_here_with_its_sentence() -> None:
    with pytest.raises(CommandError, match=r"^the stack 'local' is not healthy:\n  orchestrator$"):
        call_apart(fail)
    with pytest.raises(CommandError, match=r"^KeyError: 'name'$"):
        call_apart(crash)
