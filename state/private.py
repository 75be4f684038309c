"""What this project keeps is for its owner only, whatever the umask of the shell."""

import os
import stat
from pathlib import Path

_OWNER_ONLY = 0o700
_FILE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class SharedFolderError(RuntimeError):
    """Another user owns the state folder or may write to it. The message has the command that ends this."""


def keep_private() -> None:
    """Let only the owner read what this process and its children create from now on, libraries included."""
    os.umask(_OTHERS)


def private_folder(path: Path) -> None:
    """Create the state folder, or check it and close it to other users if these can only read it.

    Raises `SharedFolderError` if others could have changed what is in it: keys, the ledger, the models of the service;
    `OSError` if it cannot be created.
    """
    path.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise SharedFolderError(
            f"the state folder {path} belongs to another user (uid {found.st_uid}); if what is in it can be trusted, "
            f"take it over with 'sudo chown -R {os.geteuid()} {path}', "
            "or name another folder with --state DIR or STATE_DIR"
        )
    if found.st_mode & _OTHERS_WRITE:
        raise SharedFolderError(
            f"other users may write to the state folder {path} (mode {stat.S_IMODE(found.st_mode):04o}); if what is "
            f"in it can be trusted, close it with 'chmod -R go-rwx {path}'"
        )
    if found.st_mode & _OTHERS:
        path.chmod(_OWNER_ONLY)


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file for its owner only, as the `opener` of `open`. A link is not followed."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW, _FILE)
    if flags & os.O_CREAT:
        os.fchmod(descriptor, _FILE)
    return descriptor
