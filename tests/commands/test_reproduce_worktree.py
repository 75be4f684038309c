"""The code of a version comes from a worktree of its commit, in real git repositories."""

import subprocess
from pathlib import Path

import pytest

from commands.reproduce.gone import GoneError
from commands.reproduce.worktree import checked_out
from tests.tracking.test_training_record import a_record
from tracking.revision import model_code
from tracking.training_record import TrainingRecord


def git(folder: Path, *arguments: str) -> str:
    known = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *known, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    (folder / "catalog").mkdir(parents=True)
    (folder / "catalog" / "text.py").write_text("a = 1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


@pytest.fixture
def record(repository: Path) -> TrainingRecord:
    """A training at that commit."""
    known = {"commit": git(repository, "rev-parse", "HEAD"), "clean": True, "code": model_code(repository)}
    return a_record().model_copy(update=known)


def test_it_has_the_code_of_the_commit_and_is_removed(record: TrainingRecord, repository: Path, tmp_path: Path) -> None:
    (repository / "catalog" / "text.py").write_text("a = 2\n")
    before = git(repository, "status", "--porcelain")
    with checked_out(record, tmp_path / "tree", repository) as root:
        assert (root / "catalog" / "text.py").read_text() == "a = 1\n"
    assert not (tmp_path / "tree").exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert git(repository, "status", "--porcelain") == before


def test_it_is_removed_after_ctrl_c(record: TrainingRecord, repository: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checked_out(record, tmp_path / "tree", repository):
        raise KeyboardInterrupt
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert not (tmp_path / "tree").exists()


def test_what_a_killed_process_left_is_replaced(record: TrainingRecord, repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    (tmp_path / "tree" / "catalog" / "text.py").write_text("a = 3\n")
    with checked_out(record, tmp_path / "tree", repository) as root:
        assert (root / "catalog" / "text.py").read_text() == "a = 1\n"


def test_a_project_in_a_folder_of_a_repository_is_found(repository: Path, tmp_path: Path) -> None:
    project = repository / "project"
    (project / "catalog").mkdir(parents=True)
    (project / "catalog" / "text.py").write_text("b = 1\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "second")
    known = {"commit": git(repository, "rev-parse", "HEAD"), "clean": True, "code": model_code(project)}
    with checked_out(a_record().model_copy(update=known), tmp_path / "tree", project) as root:
        assert (root / "catalog" / "text.py").read_text() == "b = 1\n"


def test_changes_outside_the_code_of_the_model_do_no_harm(
    record: TrainingRecord, repository: Path, tmp_path: Path
) -> None:
    with checked_out(record.model_copy(update={"clean": False}), tmp_path / "tree", repository) as root:
        assert root.is_dir()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"commit": None}, "The commit was not recorded: the training ran without git"),
        ({"commit": "0" * 40}, f"does not have commit {'0' * 40}: fetch it with 'git fetch --all'"),
        ({"commit": "--detach"}, "does not have commit --detach"),
        (
            {"clean": False, "code": "other"},
            r"ran with changes in catalog/ that were not committed, so commit \w+ does",
        ),
        ({"code": "other"}, r"holds another catalog/ than the training ran with \(recorded: other, found: "),
    ],
)
def test_what_is_gone_is_a_sentence(
    change: dict[str, object], sentence: str, record: TrainingRecord, repository: Path, tmp_path: Path
) -> None:
    with (
        pytest.raises(GoneError, match=sentence),
        checked_out(record.model_copy(update=change), tmp_path / "tree", repository),
    ):
        pytest.fail("there is no code")
    assert not (tmp_path / "tree").exists()


def test_without_a_repository_the_commit_is_gone(record: TrainingRecord, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with (
        pytest.raises(
            GoneError, match=f"There is no git repository in {folder}, so commit {record.commit} is not here"
        ),
        checked_out(record, tmp_path / "tree", folder),
    ):
        pytest.fail("there is no code")
