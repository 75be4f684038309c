"""The README's commands for the service, after two trainings: serve, ask, correct, roll back, auth apart."""

from pathlib import Path

import pytest

from tests.system.readme import sections, shell
from tests.system.snapshots import Snapshot
from tests.system.workspace import wait_for

pytestmark = pytest.mark.readme
SECTIONS = ("Serve, ask, correct, roll back",)


def test_the_commands_for_the_service_do_what_they_say(two_versions: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, two_versions) as user:

        def roll_back_while_it_serves(command: str) -> None:
            assert user.served_version() == "2"
            user.run(command)
            wait_for("serve follows the rollback", lambda: user.served_version() == "1")

        user.run_all(sections()[SECTIONS[0]], {"rollback": roll_back_while_it_serves})
