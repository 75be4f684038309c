"""The commands of the page about catalogues, after a training: files, standard input, a Dask scheduler, a pipeline."""

from pathlib import Path

import pandas as pd
import pytest

from tests.system.pages import commands, shell
from tests.system.snapshots import Snapshot

pytestmark = pytest.mark.documents
PAGES = ("docs/scoring.md",)


def test_the_commands_for_a_catalogue_do_what_they_say(one_version: Snapshot, tmp_path: Path) -> None:
    with shell(tmp_path, one_version) as user:
        user.run_all(commands(PAGES[0]))
    answers = pd.read_csv(tmp_path / "answers.csv")
    assert len(answers) == 5_000
    assert (tmp_path / "stream.csv").read_bytes() == (tmp_path / "answers.csv").read_bytes()
    (by_schedule,) = tmp_path.glob("answers-????-??-??.csv")
    assert by_schedule.read_bytes() == (tmp_path / "answers.csv").read_bytes()
    by_workers = pd.read_parquet(tmp_path / "parts")
    assert by_workers["code"].tolist() == answers["code"].tolist()
    assert "code_3" in pd.read_parquet(tmp_path / "offers").columns
