"""The README's commands for files and catalogues of one's own, after a training, and the classifier as a library."""

from pathlib import Path

import pytest

from tests.system.readme import sections, shell
from tests.system.snapshots import Snapshot

pytestmark = pytest.mark.readme
SECTIONS = ("Make it yours",)


def test_the_commands_for_data_of_ones_own_do_what_they_say(one_version: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, one_version) as user:
        user.run_all(sections()[SECTIONS[0]])
