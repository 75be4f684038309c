"""All state of a machine in one file: made while others write, checked when it is put back, and usable elsewhere."""

import gzip
import io
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from state.backup import BackupError, Record, rows_of, write_backup
from state.restoration import restore_backup

Roots = dict[str, Path]


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        yield connection


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    """Folders as `--state` has them: those of ZenML and of BentoML are in that of the state."""
    state = tmp_path / "old" / "place"
    roots = {"state": state, "zenml": state / "zenml", "bentoml": state / "bentoml"}
    for path in roots.values():
        path.mkdir(parents=True)
    with database(state / "ledger.db") as ledger:
        ledger.execute("CREATE TABLE predictions (title TEXT)")
        ledger.execute("INSERT INTO predictions VALUES (?)", (f"a lamp from {state}/",))
    with database(state / "zenml" / "store" / "zenml.db") as store:
        store.execute("CREATE TABLE artifacts (uri VARCHAR(255), size INTEGER)")
        store.execute("INSERT INTO artifacts VALUES (?, 3)", (f"file://{state}/zenml/store/model",))
    (state / "zenml" / "config.yaml").write_text(f"url: sqlite:///{state}/zenml/store/zenml.db\n")
    (state / "admin-password").write_text("a secret")
    (state / "run.lock").write_text("")
    (state / "bentoml" / "model.bin").write_bytes(bytes(range(256)) * 1_000)
    return roots


def made(roots: Roots, archive: Path) -> Record:
    return write_backup(archive, roots, lambda size: None)


def restored(archive: Path, state: Path) -> Roots:
    roots = {"state": state, "zenml": state / "zenml", "bentoml": state / "bentoml"}
    with archive.open("rb") as file:
        restore_backup(file, roots)
    return roots


def test_every_file_comes_back_and_the_archive_is_for_its_owner_only(roots: Roots, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    record = made(roots, archive)
    assert archive.stat().st_mode & 0o077 == 0
    assert record.rows == {"predictions": 1}
    state = restored(archive, tmp_path / "new")["state"]
    assert (state / "admin-password").read_text() == "a secret"
    assert (state / "bentoml" / "model.bin").read_bytes() == (roots["bentoml"] / "model.bin").read_bytes()
    assert sorted(path.name for path in state.iterdir()) == ["admin-password", "bentoml", "ledger.db", "zenml"]


def test_a_database_is_copied_as_it_is_at_one_moment_while_others_write_to_it(roots: Roots, tmp_path: Path) -> None:
    with database(roots["state"] / "ledger.db") as writer:
        writer.execute("INSERT INTO predictions VALUES ('in the log, not yet in the file')")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO predictions VALUES ('not committed')")
        record = made(roots, tmp_path / "backup.tar.gz")
        writer.execute("COMMIT")
    state = restored(tmp_path / "backup.tar.gz", tmp_path / "new")["state"]
    assert record.rows == rows_of(state / "ledger.db") == {"predictions": 2}
    assert rows_of(roots["state"] / "ledger.db") == {"predictions": 3}


@pytest.mark.parametrize("place", ["new", "old/place/deeper", "o"])
def test_paths_in_the_databases_are_those_of_the_new_folders_and_listings_stay(
    roots: Roots, tmp_path: Path, place: str
) -> None:
    archive, state = tmp_path / "backup.tar.gz", tmp_path / place
    made(roots, archive)
    new = restored(archive, state)
    with database(new["zenml"] / "store" / "zenml.db") as store:
        assert store.execute("SELECT * FROM artifacts").fetchall() == [(f"file://{state}/zenml/store/model", 3)]
    assert (new["zenml"] / "config.yaml").read_text() == f"url: sqlite:///{state}/zenml/store/zenml.db\n"
    with database(new["state"] / "ledger.db") as ledger:
        assert ledger.execute("SELECT * FROM predictions").fetchall() == [(f"a lamp from {roots['state']}/",)]


def test_folders_of_their_own_are_restored_into_one_and_back(roots: Roots, tmp_path: Path) -> None:
    made(roots, tmp_path / "one.tar.gz")
    apart = {"state": tmp_path / "a", "zenml": tmp_path / "home" / "zenml", "bentoml": tmp_path / "home" / "bentoml"}
    with (tmp_path / "one.tar.gz").open("rb") as file:
        restore_backup(file, apart)
    assert (apart["bentoml"] / "model.bin").is_file()
    made(apart, tmp_path / "two.tar.gz")
    new = restored(tmp_path / "two.tar.gz", tmp_path / "new")
    assert f"{new['zenml']}/store" in (new["zenml"] / "config.yaml").read_text()


def test_a_damaged_archive_is_refused_and_nothing_of_it_is_kept(roots: Roots, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    made(roots, archive)
    content = bytearray(gzip.decompress(archive.read_bytes()))
    content[content.index(b"a secret")] += 1
    archive.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(BackupError, match="is damaged: state/admin-password is not what was written"):
        restored(archive, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_an_archive_that_is_cut_off_is_refused(roots: Roots, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    made(roots, archive)
    archive.write_bytes(archive.read_bytes()[:-2_000])
    with pytest.raises(BackupError, match="cannot be restored"):
        restored(archive, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("name", ["state/../../outside", "elsewhere/file", "/etc/file"])
def test_a_member_that_would_leave_the_folders_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "made.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(BackupError, match="belongs to no folder"):
        restored(tmp_path / "made.tar.gz", tmp_path / "new")
    assert not (tmp_path / "outside").exists()


def test_folders_in_use_are_left_alone(roots: Roots, tmp_path: Path) -> None:
    made(roots, tmp_path / "backup.tar.gz")
    with pytest.raises(BackupError, match=r"is in use: restore into another folder .* mv "):
        restored(tmp_path / "backup.tar.gz", roots["state"])
    assert (roots["state"] / "admin-password").read_text() == "a secret"


def test_what_a_killed_restoration_has_left_is_removed(roots: Roots, tmp_path: Path) -> None:
    made(roots, tmp_path / "backup.tar.gz")
    (tmp_path / "new" / ".restored-1").mkdir(parents=True)
    (tmp_path / "new" / ".restored-1" / "half").write_text("")
    state = restored(tmp_path / "backup.tar.gz", tmp_path / "new")["state"]
    assert not (state / ".restored-1").exists()


def test_an_archive_is_never_replaced_nor_written_into_what_it_holds(roots: Roots, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    archive.write_text("an older one")
    with pytest.raises(BackupError, match="is there already"):
        made(roots, archive)
    assert archive.read_text() == "an older one"
    with pytest.raises(BackupError, match="in a folder that is backed up"):
        made(roots, roots["state"] / "backup.tar.gz")


def test_an_archive_of_another_release_is_refused(roots: Roots, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "made.tar.gz", "w:gz") as tar:
        content = b'{"format": 2}'
        entry = tarfile.TarInfo("backup.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(BackupError, match="another release"):
        restored(tmp_path / "made.tar.gz", tmp_path / "new")
