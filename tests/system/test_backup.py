"""`run.py backup` while the service answers, and `run.py restore` in another place: the same answers, nothing lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from state.backup import rows_of
from tests.system.service import Service, serving
from tests.system.snapshots import Snapshot, train
from tests.system.workspace import Workspace, wait_for

pytestmark = pytest.mark.system
LISTINGS = [{"designation": title} for title in ("Piscine gonflable ronde", "Wooden train set", "Kissenbezug rot")]


def answers(service: Service, token: str) -> list[tuple[int, float]]:
    found = [service.ask(listing, token).json() for listing in LISTINGS]
    return [(answer["predicted_code"], answer["confidence"]) for answer in found]


def test_a_backup_made_under_load_gives_another_machine_the_same_answers_and_every_acknowledged_prediction(
    one_version: Snapshot, tmp_path: Path
) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = one_version.copied_to(Workspace(tmp_path / "here")), Workspace(tmp_path / "there")
    archive = tmp_path / "all.tar.gz"
    acknowledged: list[str] = []
    ended = Event()
    with serving(here) as service, ThreadPoolExecutor(1) as pool:
        service.wait_for_version("1")
        token = service.token()
        expected = answers(service, token)

        def ask_on() -> None:
            while not ended.is_set():
                acknowledged.append(service.ask(LISTINGS[0], token).json()["prediction_id"])

        asking = pool.submit(ask_on)
        try:
            wait_for("some answers", lambda: len(acknowledged) > 10)
            before = list(acknowledged)
            done = here.run("backup", str(archive))
        finally:
            ended.set()
            asking.result()
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"the ledger: ([\d,]+) predictions", done.stdout)
    assert found is not None, done.stdout
    stored = int(found[1].replace(",", ""))
    assert len(before) + len(LISTINGS) <= stored <= len(acknowledged) + len(LISTINGS)

    done = there.run("restore", str(archive))
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows_of(there.state / "ledger.db")["predictions"] == stored
    here.state.rename(tmp_path / "gone")  # what was restored must not read it
    with serving(there) as service:
        service.wait_for_version("1")
        token = service.token()
        assert answers(service, token) == expected
        why = there.run("why", before[-1])
        assert why.returncode == 0, why.stderr
    outcome = train(there, *one_version.arguments)
    assert outcome["champion_weighted_f1"] == pytest.approx(outcome["weighted_f1"])  # version 1, the same data


def test_a_second_restoration_is_refused_with_the_way_on(one_version: Snapshot, tmp_path: Path) -> None:
    workspace, archive = one_version.copied_to(Workspace(tmp_path)), tmp_path / "all.tar.gz"
    assert workspace.run("backup", str(archive)).returncode == 0
    done = workspace.run("restore", str(archive))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {workspace.state} is in use: restore into another folder with --state DIR")
