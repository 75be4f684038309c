"""The first commands of a reader, in a fresh clone and home folder: train, look around, change the stack."""

from pathlib import Path

import pytest

from tests.system.pages import commands, shell

pytestmark = pytest.mark.documents
PAGES = ("README.md", "CONTRIBUTING.md", "docs/training.md", "docs/stacks.md")


def test_the_first_commands_do_what_they_say(tmp_path: Path) -> None:
    with shell(tmp_path) as user:
        # `make run` names no size. Here the configuration of the clone says 2,000 listings instead of 20,000.
        config = user.tree / "pipelines" / "configs" / "training.yaml"
        assert "size: 20000 " in config.read_text()
        config.write_text(config.read_text().replace("size: 20000 ", "size: 2000 "))

        def look(command: str) -> None:
            """These tests are what the command runs."""
            user.run(command.replace("make", "make --dry-run"))

        try:
            for page in PAGES:
                user.run_all(commands(page), {"make test": look, "make lint": look})
            assert user.fetch("http://127.0.0.1:8237/") is not None
        finally:
            user.run("zenml logout --local")
