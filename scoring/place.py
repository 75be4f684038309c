"""Where a run keeps its parts and its journal: a folder, here or shared, or a prefix of an object store."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import fsspec

from state.lock import hold

LOCK = "lock"


class OccupiedError(RuntimeError):
    """Another run uses the same place. The message names it."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, which takes its name when it is whole and on the disk."""
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class Place:
    """Names and bytes. What `write` has returned from is there whole, or as it was before."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._system, self._path = fsspec.core.url_to_fs(self.address)
        self.is_local = "://" not in address

    def write(self, name: str, content: bytes) -> None:
        """Write a file as a whole: by renaming it here, by one request in an object store."""
        if not self.is_local:
            self._system.pipe_file(f"{self._path}/{name}", content)
            return
        path = Path(self._path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(content)

    def read(self, name: str) -> bytes | None:
        """Return a file; None if it is not there."""
        try:
            content: bytes = self._system.cat_file(f"{self._path}/{name}")
        except FileNotFoundError:
            return None
        return content

    def names(self, folder: str = "") -> set[str]:
        """Return the names of all files in a folder of the place."""
        path = f"{self._path}/{folder}".rstrip("/")
        self._system.invalidate_cache()
        try:
            return {entry.rpartition("/")[2] for entry in self._system.ls(path, detail=False)}
        except FileNotFoundError:
            return set()

    def remove(self) -> None:
        """Remove everything in the place."""
        with contextlib.suppress(FileNotFoundError):
            self._system.rm(self._path, recursive=True)

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Keep other runs away while the body runs. Raises `OccupiedError`, and `LockedError` for a folder."""
        if self.is_local:
            Path(self._path).mkdir(parents=True, exist_ok=True)
            with hold(Path(self._path, f".{LOCK}"), what):
                yield
            return
        entry = {
            "what": what,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": f"{datetime.now(UTC):%F %T} UTC",
        }
        path = f"{self._path}/{LOCK}"
        try:
            self._system.pipe_file(path, json.dumps(entry).encode(), mode="create")  # refused where it is there already
        except FileExistsError:
            raise OccupiedError(self._occupied()) from None
        try:
            yield
        finally:
            self._system.rm_file(path)

    def _occupied(self) -> str:
        holder: Mapping[str, Any] = json.loads(self.read(LOCK) or b"{}")
        return (
            f"{self.address} is used by {holder.get('what')} (process {holder.get('pid')} on {holder.get('host')}, "
            f"since {holder.get('since')}); if that run has ended, remove {self.address}/{LOCK}"
        )
