"""The commands of the pages about monitoring and the web page, after a training: services, traffic, a report."""

import json
from pathlib import Path

import pytest

from tests.system.pages import commands, shell
from tests.system.snapshots import Snapshot

pytestmark = pytest.mark.documents
PAGES = ("docs/monitoring.md", "docs/ui.md")


def test_the_commands_for_monitoring_do_what_they_say(one_version: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, one_version) as user:
        user.run_all(commands(PAGES[0]))
        report = json.loads((user.tree / ".state" / "monitoring" / "latest.json").read_text())
        assert report["window"]["rows"] == 600
        user.run_all(commands(PAGES[1]))
        assert user.fetch("http://127.0.0.1:8501/") is not None
