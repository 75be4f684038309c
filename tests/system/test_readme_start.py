"""The README's first commands, in a fresh clone and home folder: train, look around, change the stack."""

from pathlib import Path

import pytest

from tests.system.readme import sections, shell

pytestmark = pytest.mark.readme
SECTIONS = ("Product types", "Look around", "Other stacks")


def test_the_first_commands_do_what_they_say(tmp_path: Path) -> None:
    with shell(tmp_path) as user:
        try:
            for section in SECTIONS:
                # These tests are what `make test` runs.
                user.run_all(sections()[section], {"make test": lambda _: user.run("make --dry-run test")})
            assert user.fetch("http://127.0.0.1:8237/") is not None
        finally:
            user.run("zenml logout --local")
