"""The workflows of .github: pinned, with the least rights, and calling commands that exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs() -> list[Any]:
    found = [(path.stem, yaml.safe_load(path.read_text())["jobs"]) for path in WORKFLOWS]
    return [pytest.param(job, id=f"{stem}-{name}") for stem, each in found for name, job in each.items()]


def commands() -> set[str]:
    """The targets of `make` that workflows and `.ci/run` call."""
    text = "\n".join(path.read_text() for path in [*WORKFLOWS, ROOT / ".ci" / "run"])
    tiers = re.findall(r"- tier: (\S+)", text)
    return set(re.findall(r"\bmake ([a-z][a-z-]*)", text)) | {f"test-{tier}" for tier in tiers}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_runs_once_at_a_time(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]


@pytest.mark.parametrize("job", jobs())
def test_every_job_ends_by_itself_and_leaves_no_token_in_the_checkout(job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] <= 90
    checkouts = [step for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_workflows_call_only_targets_that_the_makefile_has() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands() - targets == set()


def test_zizmor_finds_no_weakness() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", ROOT / ".github"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
