"""Files that a reader never finds half written."""

import os
from pathlib import Path

from state.private import open_private


def write_atomically(path: Path, text: str) -> None:
    """Write a file, for its owner only, so that a reader finds either the old content or the new content.

    An error leaves the old file and nothing else.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", opener=open_private) as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
