"""State folders that are trained once a test session, and copies of them.

A copy works in another folder, as a restored backup does. Only the cache of
ZenML's steps does not, because its keys hold the path of the artifact store. A test that needs cached steps takes the
original folder for itself (`Snapshot.restored`).
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from state.lock import hold
from state.restoration import name_anew
from tests.system.workspace import LIMIT, Workspace

_BUILDING = 3 * LIMIT  # seconds that another worker may need to build a snapshot


def train(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """Run the main job, which must succeed. Return its JSON, with what it printed under `printed`."""
    report = workspace.folder / "outcome.json"
    done = workspace.run(*arguments, "--json", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    outcome: dict[str, Any] = json.loads(report.read_text())
    return outcome | {"printed": done.stdout}


@dataclass(frozen=True)
class Snapshot:
    """A state folder as it was right after a training.

    `workspace` is where it was made, `arguments` are those of the training, `outcome` is what it returned.
    """

    workspace: Workspace
    arguments: tuple[str, ...]
    outcome: dict[str, Any]

    @property
    def _kept(self) -> Path:
        return self.workspace.folder / "kept"

    @classmethod
    def taken(cls, folder: Path, *arguments: str) -> "Snapshot":
        """Return the snapshot in this folder. The first of several processes that ask for it trains."""
        folder.mkdir(exist_ok=True)
        outcome = folder / "snapshot.json"
        workspace = Workspace(folder)
        with hold(folder / "lock", "a snapshot for the tests", _BUILDING):
            if not outcome.is_file():
                shutil.rmtree(workspace.state, ignore_errors=True)
                content = json.dumps(train(workspace, *arguments))
                shutil.copytree(workspace.state, folder / "kept", symlinks=True)
                outcome.write_text(content)
            return cls(workspace, arguments, json.loads(outcome.read_text()))

    def copied_to(self, workspace: Workspace) -> Workspace:
        """Return the workspace, which now has this state."""
        self.copy_to(workspace.state, zenml=workspace.state / "zenml", bentoml=workspace.state / "bentoml")
        return workspace

    def copy_to(self, state: Path, *, zenml: Path, bentoml: Path) -> None:
        """Copy our own state, ZenML's with MLflow's, and BentoML's, each to its folder."""
        for kept, target in ((self._kept / "zenml", zenml), (self._kept / "bentoml", bentoml)):
            shutil.copytree(kept, target, symlinks=True)
            name_anew(target, [(self.workspace.state / kept.name, target)])
        ignored = shutil.ignore_patterns("zenml", "bentoml")
        shutil.copytree(self._kept, state, symlinks=True, ignore=ignored, dirs_exist_ok=True)

    @contextmanager
    def restored(self) -> Iterator[Workspace]:
        """Give one test at a time the original folder, as it was: the steps of the training are cached there."""
        with hold(self.workspace.folder / "lock", "a test with cached steps", _BUILDING):
            shutil.rmtree(self.workspace.state, ignore_errors=True)
            shutil.copytree(self._kept, self.workspace.state, symlinks=True)
            yield self.workspace


def shared_by_workers(base: Path) -> Path:
    """Return the folder that the workers of one test session share; `base` is this worker's own."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
