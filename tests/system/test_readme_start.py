"""The README's first commands, in a fresh clone and home folder: train, look around, change the stack."""

from pathlib import Path

import pytest

from tests.system.readme import sections, shell

pytestmark = pytest.mark.readme
SECTIONS = ("Product types", "Look around", "Other stacks")


def test_the_first_commands_do_what_they_say(tmp_path: Path) -> None:
    with shell(tmp_path) as user:
        # `make run` names no size. Here the configuration of the clone says 2,000 listings instead of 20,000.
        config = user.tree / "pipelines" / "configs" / "training.yaml"
        assert "size: 20000 " in config.read_text()
        config.write_text(config.read_text().replace("size: 20000 ", "size: 2000 "))
        try:
            for section in SECTIONS:
                # These tests are what `make test` runs.
                user.run_all(sections()[section], {"make test": lambda _: user.run("make --dry-run test")})
            assert user.fetch("http://127.0.0.1:8237/") is not None
        finally:
            user.run("zenml logout --local")
