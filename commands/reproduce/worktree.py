"""The code of a version: a worktree of its commit, which is there as long as it is needed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands.reproduce.gone import GoneError
from state.folder import SOURCE_ROOT
from tracking.revision import model_code
from tracking.training_record import TrainingRecord

_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]*")  # never an option of git
_LIMIT = 600  # seconds for git to check out the files


@contextmanager
def checked_out(record: TrainingRecord, tree: Path, repository: Path = SOURCE_ROOT) -> Iterator[Path]:
    """Yield the source root of the recorded commit, in a worktree at `tree` that is removed after the body.

    Its code is that of the training, or `GoneError` is raised.
    """
    commit = record.commit
    if commit is None:
        raise GoneError("The commit was not recorded: the training ran without git, and without GIT_REVISION.")
    prefix = _git(repository, "rev-parse", "--show-prefix")
    if prefix.returncode != 0:
        raise GoneError(f"There is no git repository in {repository}, so commit {commit} is not here: {_said(prefix)}.")
    known = _COMMIT.fullmatch(commit) and _git(repository, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0
    if not known:
        raise GoneError(
            f"The repository in {repository} does not have commit {commit}: fetch it with 'git fetch --all', or with "
            "'git fetch --unshallow' in a shallow clone."
        )
    try:
        _remove(repository, tree)  # of a process that was killed
        added = _git(repository, "worktree", "add", "--quiet", "--detach", "--force", str(tree), commit)
        if added.returncode != 0:
            raise GoneError(f"Commit {commit} cannot be checked out: {_said(added)}.")
        root = tree / prefix.stdout.strip()
        _require_code(record, root)
        yield root
    finally:
        _remove(repository, tree)


def _require_code(record: TrainingRecord, root: Path) -> None:
    """Raise `GoneError` unless the code below a source root is that of the training."""
    if model_code(root) == record.code:
        return
    if record.clean is False:
        raise GoneError(
            f"The code is gone: the training ran with changes in catalog/ that were not committed, so commit "
            f"{record.commit} does not hold it. Commit before a training whose version you want to reproduce."
        )
    raise GoneError(
        f"Commit {record.commit} holds another catalog/ than the training ran with (recorded: {record.code[:12]}, "
        f"found: {model_code(root)[:12]}), so it is not the code of this version."
    )


def _remove(repository: Path, tree: Path) -> None:
    _git(repository, "worktree", "remove", "--force", "--force", str(tree))  # fails where there is none
    shutil.rmtree(tree, ignore_errors=True)


def _git(repository: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git on a repository. Its hooks do not run, and it fetches nothing."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(repository), "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        return subprocess.run(
            command, env=others | {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", f"git cannot be run ({type(error).__name__})")


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stderr.strip().splitlines() or ["git said nothing"])[-1]
