"""A backup: one archive with all state of a machine, made while services run.

Each SQLite database is copied by SQLite itself, as it is at one moment, also while others write to it. The databases
come first, so that every file that they name is in the archive too. The last member, `backup.json`, says what must be
in the archive, with the SHA-256 of each file.
"""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from state.private import open_private

FORMAT, RECORD = 1, "backup.json"
LEDGER = "state/ledger.db"
# Of servers that are copied by their own means, and what a process needs only while it runs.
LEFT_OUT = {
    f"state/{name}" for name in ("prometheus", "alertmanager", "pushgateway", "grafana", "metrics")
} | {"bentoml/tmp", "bentoml/envs"}  # fmt: skip
_WITHOUT = (".lock", "-wal", "-shm", "-journal", ".pyc")
_SQLITE = b"SQLite format 3\0"
_COMPRESSION = 3  # of 9: models and tables are compressed already


class BackupError(RuntimeError):
    """A backup cannot be made or restored. The message is a sentence with the way on."""


@dataclass(frozen=True)
class Stored:
    """A file in the archive."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """What is in an archive. `roots`: where its folders were; `rows`: of each table of the ledger in it."""

    format: int
    made: str
    roots: dict[str, str]
    rows: dict[str, int]
    files: dict[str, Stored]

    def written(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def read(cls, content: bytes) -> "Record":
        """Return the record of an archive. Raises `BackupError` if it is another format."""
        try:
            found = json.loads(content)
            if found["format"] == FORMAT:
                return cls(**{**found, "files": {name: Stored(**each) for name, each in found["files"].items()}})
        except (ValueError, TypeError, KeyError):
            pass
        raise BackupError("the backup was made by another release of this project: restore it with that one")


def write_backup(archive: Path, roots: Mapping[str, Path], advance: Callable[[int], None]) -> Record:
    """Write the folders `roots` into a new archive, and return its record.

    Args:
        archive: its file, for its owner only. It appears when it is complete.
        roots: the folders, by the name that each has in the archive. A missing one is left out.
        advance: is told how many bytes were read.

    Raises `BackupError` when the archive is there already, `OSError`, and `sqlite3.Error` for a damaged database.
    """
    if archive.exists():
        raise BackupError(f"{archive} is there already: name another file, or remove it")
    if any(path.resolve() in archive.resolve().parents for path in roots.values()):
        raise BackupError(f"{archive} is in a folder that is backed up: name a file elsewhere")
    found = dict(members(roots))
    databases = {name for name, path in found.items() if _is_sqlite(path)}
    files: dict[str, Stored] = {}
    rows: dict[str, int] = {}
    temporary = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        with (
            open(temporary, "wb", opener=open_private) as sink,
            tarfile.open(fileobj=sink, mode="w:gz", compresslevel=_COMPRESSION) as tar,
            tempfile.TemporaryDirectory(prefix=".backup-", dir=archive.parent) as folder,
        ):
            copy = Path(folder) / "database"
            for name in sorted(databases):
                _copy_database(found[name], copy)
                if name == LEDGER:
                    rows = rows_of(copy)
                files[name] = _add(tar, name, copy, advance)
                copy.unlink()
            for name in sorted(found.keys() - databases):
                try:
                    files[name] = _add(tar, name, found[name], advance)
                except FileNotFoundError:
                    continue  # a temporary file of a running service
            record = Record(
                FORMAT, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", {name: str(path) for name, path in roots.items()},
                rows, files,
            )  # fmt: skip
            content = record.written()
            tar.addfile(_entry(RECORD, len(content)), io.BytesIO(content))
        temporary.replace(archive)
    finally:
        temporary.unlink(missing_ok=True)
    return record


def members(roots: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of each file to keep. A folder that another root is in comes once."""
    inner = {path.resolve() for path in roots.values()}
    for root, folder in roots.items():
        top = folder.resolve()
        for at, folders, names in os.walk(top):
            here = Path(at)
            prefix = f"{root}/{here.relative_to(top).as_posix()}/".replace("/./", "/")
            folders[:] = [name for name in folders if prefix + name not in LEFT_OUT and here / name not in inner]
            for name in names:
                path = here / name
                if not name.endswith(_WITHOUT) and path.is_file() and not path.is_symlink():
                    yield prefix + name, path


def rows_of(ledger: Path) -> dict[str, int]:
    """Return how many rows each table of a ledger has."""
    database = sqlite3.connect(ledger)
    try:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in sorted(tables)}
    finally:
        database.close()


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _copy_database(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(path, timeout=60), sqlite3.connect(copy)
    try:
        source.backup(target)  # in one transaction: other connections go on, and are seen wholly or not at all
    finally:
        target.close()
        source.close()


def _add(tar: tarfile.TarFile, name: str, path: Path, advance: Callable[[int], None]) -> Stored:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size  # a journal may grow meanwhile; its older lines stay as they are
        source = _Hashed(file, advance)
        entry = _entry(name, size)
        entry.mode = 0o700 if os.access(path, os.X_OK) else 0o600
        tar.addfile(entry, source)
    return Stored(size, source.digest.hexdigest())


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


class _Hashed(io.RawIOBase):
    """A file whose content is hashed while it is read."""

    def __init__(self, file: BinaryIO, advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        self._advance(len(content))
        return content
