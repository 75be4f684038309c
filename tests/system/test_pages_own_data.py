"""The commands of the page about data, after a training: files and catalogues of one's own."""

from pathlib import Path

import pytest

from tests.system.pages import commands, shell
from tests.system.snapshots import Snapshot

pytestmark = pytest.mark.documents
PAGES = ("docs/data.md",)


def test_the_commands_for_data_of_ones_own_do_what_they_say(one_version: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, one_version) as user:
        user.run_all(commands(PAGES[0]))
