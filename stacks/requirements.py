#!/usr/bin/env python3
"""Print the lock without what only development needs: what an image installs. Standard library only.

    python stacks/requirements.py requirements.lock

The lock says under every package what asked for it; whatever leads back to the project itself stays.
"""

import re
import sys
from pathlib import Path

_PROJECT = "(pyproject.toml)"  # and `(pyproject.toml:dev)` for the group


def without_development(lock: str) -> str:
    """Return the entries of the packages that the project needs, directly or through others."""
    entries = _entries(lock)
    kept = {name for name, entry in entries if any(asker.endswith(_PROJECT) for asker in _askers(entry))}
    while more := {name for name, entry in entries if name not in kept and kept & set(_askers(entry))}:
        kept |= more
    return "".join(entry for name, entry in entries if name in kept)


def _entries(lock: str) -> list[tuple[str, str]]:
    parts = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    return [(part.split("==")[0].split("[")[0], part) for part in parts]


def _askers(entry: str) -> list[str]:
    comments = re.findall(r"^    #(.*)$", entry, flags=re.MULTILINE)
    return [asker for line in comments if (asker := line.strip().removeprefix("via").strip())]


if __name__ == "__main__":
    sys.stdout.write(without_development(Path(sys.argv[1]).read_text(encoding="utf-8")))
