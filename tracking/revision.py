"""The revision of the source that is running, and of the libraries that are installed for it."""

import hashlib
import os
import subprocess
from pathlib import Path

_SOURCE_ROOT = Path(__file__).resolve().parents[1]
# The second one is what images of the steps are built from; they do not have the first.
_LOCKS = ("requirements.lock", "requirements/steps.txt")
_CHANGED = "+changes"


def git_revision() -> str:
    """Return the commit of the source, with `+changes` when the working tree differs from it, or `unknown`."""
    if given := os.environ.get("GIT_REVISION"):  # images are built without the repository
        return given
    describe = [
        "git",
        "-C",
        str(_SOURCE_ROOT),
        "describe",
        "--always",
        "--abbrev=40",
        "--exclude=*",
        f"--dirty={_CHANGED}",
    ]
    try:
        done = subprocess.run(describe, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def split_revision(revision: str) -> tuple[str, bool]:
    """Return the commit of what `git_revision` returned, and whether the working tree was as committed."""
    return revision.removesuffix(_CHANGED), not revision.endswith(_CHANGED)


def locked_requirements() -> tuple[str, str]:
    """Return the name of the file that locks the libraries, and its SHA-256; `unknown` for both without one."""
    for name in _LOCKS:
        path = _SOURCE_ROOT / name
        if path.is_file():
            return name, hashlib.sha256(path.read_bytes()).hexdigest()
    return "unknown", "unknown"


def model_code(root: Path = _SOURCE_ROOT) -> str:
    """Return a SHA-256 over names and bytes of the files below `catalog/`: the code that makes a model, and no other.

    Of the commit of a run it tells whether it holds the code that ran, also where other files had changes. Files whose
    names begin with a dot are left out: editors and file managers leave them, and git may ignore them.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in (root / "catalog").rglob("*") if path.is_file()):
        if path.suffix != ".pyc" and not path.name.startswith("."):
            name = path.relative_to(root).as_posix().encode()
            digest.update(hashlib.sha256(name).digest() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
