"""The commands of the page about operations, after two trainings: back up, restore, roll back, rotate keys, remove."""

from pathlib import Path

import pytest

from tests.system.pages import commands, shell
from tests.system.snapshots import Snapshot

pytestmark = pytest.mark.documents
PAGES = ("docs/operations.md",)


def test_the_commands_for_operations_do_what_they_say(one_version: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, one_version) as user:
        user.run("python run.py --size 1000 --new-baseline")  # so that there is something to return to
        before = user.run("python run.py doctor")

        def restored(command: str) -> None:
            assert user.run(command) == before

        user.run_all(commands(PAGES[0]), {"doctor": restored})
        password = (user.tree / ".state" / "admin-password").read_text().strip()
        assert password in user.assignments[-2]
