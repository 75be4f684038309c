"""`run.py score` as a process: killed at any moment it goes on, and standard input and output work."""

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from catalog.synthetic import generate
from tests.system.snapshots import Snapshot
from tests.system.workspace import LIMIT, Workspace, wait_for

pytestmark = pytest.mark.system
OPTIONS = ("--shard-rows", "50", "--workers", "2", "--keep", "productid")


@pytest.fixture(scope="module")
def workspace(one_version: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return one_version.copied_to(Workspace(tmp_path_factory.mktemp("score")))


@pytest.fixture(scope="module")
def catalogue(workspace: Workspace) -> Path:
    path = workspace.folder / "catalogue.csv"
    generate(20_000, seed=8).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def uninterrupted(workspace: Workspace, catalogue: Path) -> bytes:
    out = workspace.folder / "whole.csv"
    done = workspace.run("score", str(catalogue), str(out), *OPTIONS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Rows scored  20,000" in done.stdout
    return out.read_bytes()


def test_a_run_whose_processes_are_killed_ends_with_the_same_bytes_and_leaves_no_process(
    workspace: Workspace, catalogue: Path, uninterrupted: bytes
) -> None:
    out, parts = workspace.folder / "killed.csv", workspace.folder / "killed.csv.parts" / "_journal"
    for whom in ("the command", "a process that scores"):
        begun = len(list(parts.glob("*.json")))
        running = workspace.start("score", str(catalogue), str(out), *OPTIONS)
        wait_for("more parts", lambda begun=begun: len(list(parts.glob("*.json"))) > begun + 2)  # type: ignore[misc]
        children = psutil.Process(running.pid).children(recursive=True)
        if whom == "the command":
            running.kill()
            running.communicate()
        else:
            max(children, key=lambda child: child.memory_info().rss).kill()
            _, said = running.communicate(timeout=LIMIT)
            assert said.startswith("error: a process that scores has died")
            assert "run the same command again" in said
        wait_for("the end of its processes", lambda: not any(child.is_running() for child in children))  # noqa: B023
    assert not out.exists()
    done = workspace.run("score", str(catalogue), str(out), *OPTIONS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "An earlier run has done a part of it" in done.stdout
    assert out.read_bytes() == uninterrupted
    assert not parts.parent.exists()


def test_standard_input_and_output_give_the_same_answers(
    workspace: Workspace, catalogue: Path, uninterrupted: bytes
) -> None:
    with catalogue.open("rb") as listings:
        done = subprocess.run(
            [sys.executable, "run.py", "score", "-", "-", *OPTIONS],
            cwd=workspace.source, env=workspace.environment(), stdin=listings, capture_output=True, timeout=LIMIT,
            check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, uninterrupted), done.stderr


def test_too_many_rejected_rows_end_with_code_1_after_the_output_is_complete(workspace: Workspace) -> None:
    catalogue, out = workspace.folder / "bad.csv", workspace.folder / "bad-answers.csv"
    catalogue.write_text("index,designation\n1,Piscine\n2,\n")
    done = workspace.run("score", str(catalogue), str(out))
    assert done.returncode == 1
    assert done.stderr.startswith("error: 50.0% of the rows could not be used, more than --max-rejected 1.0%")
    assert "Traceback" not in done.stderr
    assert out.read_text().count("\n") == 2
    assert "3,there is no title" in Path(f"{out}.rejected.csv").read_text()
    assert workspace.run("score", str(catalogue), str(out) + "2.csv", "--max-rejected", "50%").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv", "out.csv"], "nowhere.csv: there is no such file or folder"),
        (["run.py", "out.csv"], "only .csv and .parquet files can be scored"),
        (["-", "folder"], "with - the answers are csv"),
    ],
)
def test_a_mistake_is_named_in_a_sentence(workspace: Workspace, arguments: list[str], message: str) -> None:
    done = workspace.run("score", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_pipeline_scores_the_same_rows_and_measures_the_drift_of_the_catalogue(
    workspace: Workspace, catalogue: Path, uninterrupted: bytes
) -> None:
    out = workspace.folder / "piped-{date}.csv"
    done = workspace.run("score", str(catalogue), str(out), "--pipeline", *OPTIONS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Rows scored  20,000" in done.stdout
    assert re.search(r"Drift of the catalogue: (ok|warning|drift) \(", done.stdout)
    (written,) = workspace.folder.glob("piped-20??-??-??.csv")
    assert written.read_bytes() == uninterrupted
