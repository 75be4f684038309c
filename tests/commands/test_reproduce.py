"""`run.py reproduce`, as a user starts it: the version in production, trained again from its record."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

import run
from tests.conftest import ROOT
from tests.system.snapshots import train
from tests.system.workspace import Workspace
from tracking.training_record import RECORD_FILE

BLOCK = {"field": "title", "kind": "words", "shortest": 1, "longest": 1, "minimum_listings": 1}
LOW = {"minimum_weighted_f1": 0, "minimum_macro_f1": 0}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit has the files of this tree, also those that are not committed yet."""
    tree = tmp_path_factory.mktemp("repository") / "tree"
    ignored = shutil.ignore_patterns(".venv", ".git", ".state", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, tree, ignore=ignored)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *command], cwd=tree, check=True)
    return tree


@pytest.fixture(scope="module")
def workspace(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The state after two trainings; the second version replaced the first one, with which it was compared."""
    workspace = Workspace(tmp_path_factory.mktemp("reproduce"), source)
    for size in (600, 2_000):
        config = workspace.folder / "training.yaml"
        candidates = {"words": {"blocks": [BLOCK]}}
        config.write_text(yaml.safe_dump({"candidates": candidates, "promotion": LOW}))
        outcome = train(workspace, "--size", str(size), "--config", str(config))
    assert (outcome["model_version"], outcome["promoted"]) == ("2", True), outcome["reason"]
    return workspace


def reproduced(workspace: Workspace) -> tuple[int, dict[str, Any], str]:
    """The exit code, the JSON and what was printed."""
    report = workspace.folder / "reproduction.json"
    done = workspace.run("reproduce", "--json", str(report))
    assert report.is_file(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text()), " ".join(done.stdout.split())


def what_is_kept(workspace: Workspace) -> dict[str, Any]:
    """All that is in the registry, of ZenML and in the Bento store; and the worktrees."""
    state = workspace.state
    kept: dict[str, Any] = {}
    for path in sorted(state.rglob("*.db")):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            kept[path.name] = list(connection.iterdump())
    kept["files"] = sorted(str(path) for path in state.rglob("*") if "reproduce" not in path.name)
    kept["worktrees"] = subprocess.run(
        ["git", "worktree", "list"], cwd=workspace.source, capture_output=True, text=True, check=True
    ).stdout
    return kept


def edit_the_record(workspace: Workspace, edit: Callable[[dict[str, Any]], object]) -> None:
    [path] = [
        path for path in workspace.state.rglob(RECORD_FILE) if json.loads(path.read_text())["source"]["size"] == 2_000
    ]
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))


@pytest.mark.system
def test_the_version_in_production_is_reproduced_and_what_has_changed_is_named(workspace: Workspace) -> None:
    before = what_is_kept(workspace)
    code, found, printed = reproduced(workspace)
    assert (code, found["verdict"], found["gone"]) == (0, "same", []), printed
    assert found["answers"]["rows"] == found["answers"]["same"] > 100
    assert found["answers"]["greatest_difference"] == 0
    assert found["decision"]["recorded_reason"] == found["decision"]["reproduced_reason"]
    assert "of version 1 on the same" in found["decision"]["recorded_reason"]
    facts = {fact["what"]: fact["found"] for fact in found["facts"]}
    assert facts["Champion"] == "asked again: model and code as registered"
    assert facts["Data"].startswith("artifact ")
    assert what_is_kept(workspace) == before
    assert not workspace.attempts.exists(), workspace.attempts.read_text()

    def lose_the_rows(record: dict[str, Any]) -> None:
        Path(record["listings"]["uri"]).unlink()
        record["recipe"]["parameters"]["candidates"]["words"]["bayes_share"] = 1

    edit_the_record(workspace, lose_the_rows)
    code, found, printed = reproduced(workspace)
    assert (code, found["verdict"]) == (1, "different"), printed
    assert found["answers"]["same"] < found["answers"]["rows"]
    assert "made again, since its artifact is gone" in {fact["what"]: fact["found"] for fact in found["facts"]}["Data"]


def test_a_model_without_a_version_in_production_is_an_answer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    taxonomy = tmp_path / "no-such-shop.csv"
    taxonomy.write_text("code,label\n1,Pools\n2,Sofas\n")
    report = tmp_path / "result.json"
    for which, sentence in (
        ("production", "The registry has no version of 'no-such-shop' with the alias 'production'."),
        ("7", "The registry has no version 7 of 'no-such-shop'."),
    ):
        assert run.main(["reproduce", which, "--taxonomy", str(taxonomy), "--json", str(report)]) == 3
        assert json.loads(report.read_text())["gone"] == [sentence]
        assert sentence in " ".join(capfd.readouterr().out.split())
