"""Where files are: a folder, here or shared, or a prefix of an object store that speaks S3."""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem


class AddressError(ValueError):
    """An address is neither a path nor one of S3."""


def find_system(address: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path there. Raises `AddressError`."""
    protocol, separator, _ = address.partition("://")
    if separator and protocol not in ("file", "s3"):
        raise AddressError(f"{address}: only paths and addresses of S3 (s3://BUCKET/KEY) can be used")
    system, path = fsspec.core.url_to_fs(address)
    system.invalidate_cache()  # what others have written is seen
    return system, path


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, which takes its name when it is whole and on the disk."""
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{uuid4().hex[:8]}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class Place:
    """Names and bytes. What `write` has returned from is there whole; otherwise all is as it was before."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._system, self._path = find_system(self.address)
        self.is_local = isinstance(self._system, LocalFileSystem)

    @property
    def folder(self) -> Path:
        """The folder of a local place."""
        return Path(self._path)

    def make(self, *folders: str) -> None:
        """Create the place and these folders in it. An object store has none."""
        if self.is_local:
            for folder in ("", *folders):
                (self.folder / folder).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a file as a whole: by renaming it here, by one request in an object store."""
        if self.is_local:
            with replacing(self.folder / name) as file:
                file.write(content)
        else:
            self._system.pipe_file(self._at(name), content)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file of any size for writing, which is there when the body has ended without an error."""
        if self.is_local:
            with replacing(self.folder / name) as file:
                yield file
            return
        upload = self._system.open(self._at(name), "wb")
        try:
            yield upload
        except BaseException:
            upload.discard()
            raise
        upload.close()

    def create(self, name: str, content: bytes) -> bool:
        """Write an object unless there is one of that name; tell whether it was written. For object stores."""
        try:
            self._system.pipe_file(self._at(name), content, mode="create")
        except OSError:  # which one depends on the server
            found = self.read(name)
            if found is None:
                raise
            return found == content  # a request that seemed lost, and was sent again
        return True

    def replace(self, name: str, content: bytes, tag: str) -> bool:
        """Write an object if its tag is still this one; tell whether it was written. For object stores."""
        try:
            self._system.pipe_file(self._at(name), content, IfMatch=tag)
        except OSError:
            if self.read(name) == content:
                return True
            if self.tag(name) == tag:
                raise
            return False
        return True

    def tag(self, name: str) -> str | None:
        """Return what identifies the content of an object; None if it is not there."""
        self._system.invalidate_cache()
        try:
            return str(self._system.info(self._at(name))["ETag"])
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        """Return a file; None if it is not there."""
        try:
            content: bytes = self._system.cat_file(self._at(name))
        except FileNotFoundError:
            return None
        return content

    def read_all(self, names: Sequence[str]) -> dict[str, bytes]:
        """Return files, those that are there, by name. An object store is asked for all of them at once."""
        if not names:
            return {}
        paths = {self._at(name): name for name in names}
        found = self._system.cat(list(paths), on_error="omit")
        return {paths[path]: content for path, content in found.items()}

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return the names of all files in a folder of the place, and how many bytes each has."""
        self._system.invalidate_cache()
        with suppress(FileNotFoundError):
            entries = self._system.ls(self._at(folder).rstrip("/"), detail=True)
            files = {entry["name"].rpartition("/")[2]: entry["size"] for entry in entries if entry["type"] == "file"}
            files.pop("", None)  # some stores list the folder itself
            return files
        return {}

    def clear(self, *folders: str) -> None:
        """Remove what killed processes have left in these folders of a local place: files without their names yet."""
        for folder in folders if self.is_local else ():
            for path in (self.folder / folder).glob(".*.????????"):
                path.unlink(missing_ok=True)

    def remove(self, *names: str) -> None:
        """Remove these files, or everything if none is named."""
        for path in map(self._at, names) if names else [self._path]:
            with suppress(FileNotFoundError):
                self._system.rm(path, recursive=not names)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"
