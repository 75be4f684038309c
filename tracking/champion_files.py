"""The files of a version that are run when it is compared: its model, and the code that it was trained with."""

import hashlib
from pathlib import Path

MODEL_FILE = "model.skops"
CODE_FOLDER = "code"


def files_digest(model: Path) -> str:
    """Return a SHA-256 over names and bytes of a downloaded model's file and of everything in its code folder.

    Raises `OSError` if a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in [model / MODEL_FILE, *sorted(path for path in (model / CODE_FOLDER).rglob("*") if not path.is_dir())]:
        name = path.relative_to(model).as_posix().encode()
        digest.update(hashlib.sha256(name).digest() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
