"""A backup put back: into empty folders, also elsewhere and on another machine.

The databases of ZenML and MLflow name files by their full path, so these are changed where the folders are others now.
Everything is unpacked within the folders and checked first. It is moved to its place when all is in order.
"""

import hashlib
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from state.backup import LEDGER, RECORD, BackupError, Record, Stored, rows_of

_STAGING = ".restored-"
_PIECE = 2**20  # bytes
_TEXT = ("TEXT", "VARCHAR", "CHAR")
_WITH_PATHS = ("config.yaml", "MLmodel")  # where ZenML's database is, and an MLflow model

Places = Mapping[str, Path]


def restore_backup(archive: BinaryIO, roots: Places) -> Record:
    """Unpack an open archive into folders that are empty or missing, and return its record.

    Raises `BackupError` for folders in use, and for an archive that is damaged or not complete; nothing is left then.
    """
    for path in roots.values():
        if _is_in_use(path):
            raise BackupError(
                f"{path} is in use: restore into another folder with --state DIR, or move it away first: "
                f"mv {path} {path}.before"
            )
    try:
        with _staged(roots) as staged:
            record = _unpack(archive, staged)
            before = {name: Path(path) for name, path in record.roots.items()}
            name_anew(staged["zenml"], [(before[name], path.resolve()) for name, path in roots.items()])
            if LEDGER in record.files and rows_of(_place(LEDGER, staged)) != record.rows:
                raise BackupError(f"{archive.name} is damaged: the ledger has other rows than its record says")
    except (tarfile.TarError, EOFError, OSError, sqlite3.Error) as error:
        raise BackupError(f"{archive.name} cannot be restored: {error}") from error
    return record


def _is_in_use(folder: Path) -> bool:
    return any(
        path.is_file() and path.suffix != ".lock" and not path.relative_to(folder).parts[0].startswith(_STAGING)
        for path in folder.rglob("*")
    )


@contextmanager
def _staged(roots: Places) -> Iterator[Places]:
    """Yield a folder for each root, and move what is in it into the root when the body ends without an error."""
    folders = sorted(path.resolve() for path in roots.values())
    outer = [path for path in folders if not any(other in path.parents for other in folders)]
    stagings = {path: path / f"{_STAGING}{os.getpid()}" for path in outer}
    for path in outer:
        for left in path.glob(f"{_STAGING}*"):  # of a restoration that was killed
            shutil.rmtree(left)
    try:
        staged: dict[str, Path] = {}
        for name, root in roots.items():
            path = root.resolve()
            top = next(each for each in outer if each == path or each in path.parents)
            staged[name] = stagings[top] / path.relative_to(top)
            staged[name].mkdir(parents=True, exist_ok=True, mode=0o700)
        yield staged
        for path, staging in stagings.items():
            for entry in staging.iterdir():
                if (path / entry.name).is_dir():  # nothing but locks is in it
                    shutil.rmtree(path / entry.name)
                entry.rename(path / entry.name)
    finally:
        for staging in stagings.values():
            shutil.rmtree(staging, ignore_errors=True)


def _unpack(archive: BinaryIO, staged: Places) -> Record:
    found: dict[str, Stored] = {}
    record: Record | None = None
    with tarfile.open(fileobj=archive, mode="r:gz") as tar:
        for entry in tar:
            source = tar.extractfile(entry) if entry.isfile() else None
            if source is None:
                raise BackupError(f"{archive.name} is not a backup: {entry.name} in it is not a file")
            if entry.name == RECORD:
                record = Record.read(source.read())
                continue
            path = _place(entry.name, staged)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            digest = hashlib.sha256()
            with path.open("xb") as file:
                while content := source.read(_PIECE):
                    file.write(content)
                    digest.update(content)
            path.chmod(0o700 if entry.mode & 0o100 else 0o600)
            found[entry.name] = Stored(entry.size, digest.hexdigest())
    if record is None:
        raise BackupError(f"{archive.name} is not complete: it has no {RECORD}")
    different = [name for name in found.keys() | record.files.keys() if found.get(name) != record.files.get(name)]
    if different:
        raise BackupError(f"{archive.name} is damaged: {min(different)} is not what was written")
    return record


def _place(name: str, staged: Places) -> Path:
    """Return where a member goes. Raises `BackupError` for a name that would leave the folders."""
    root, *parts = PurePosixPath(name).parts or ("",)
    if root not in staged or not parts or ".." in parts:
        raise BackupError(f"this is not a backup: {name!r} in it belongs to no folder")
    return staged[root].joinpath(*parts)


def name_anew(folder: Path, pairs: Sequence[tuple[Path, Path]]) -> None:
    """Replace the paths of folders by other ones, in what ZenML and MLflow wrote into a folder: (before, now)."""
    texts = [
        (f"{before}/", f"{now}/") for before, now in sorted(pairs, reverse=True) if before != now
    ]  # inner ones first
    # In two passes, since a new path may begin with an old one.
    passes = [(before, f"\x1a{number}\x1a") for number, (before, _) in enumerate(texts)]
    passes += [(f"\x1a{number}\x1a", now) for number, (_, now) in enumerate(texts)]
    for path in folder.rglob("*") if passes else ():
        if path.suffix == ".db":
            _name_anew_in_database(path, passes)
        elif path.name in _WITH_PATHS:
            text = path.read_text(encoding="utf-8")
            for before, now in passes:
                text = text.replace(before, now)
            path.write_text(text, encoding="utf-8")


def _name_anew_in_database(path: Path, passes: Sequence[tuple[str, str]]) -> None:
    database = sqlite3.connect(path)
    try:
        with database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for _, column, kind, *_ in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                    if not kind.upper().startswith(_TEXT):
                        continue
                    change = f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE instr("{column}", ?)'
                    database.executemany(change, [(before, now, before) for before, now in passes])
    finally:
        database.close()
