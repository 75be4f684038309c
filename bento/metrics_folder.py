"""The folder into which the workers of one service write their metrics."""

import shutil
from pathlib import Path

import psutil

_SAME = 2  # seconds by which two readings of a creation time may differ


def metrics_folder(state: Path) -> Path:
    """Make the folder of the service that this process is, or supervises, and return it.

    BentoML's own is one for all services of a Bento store: each of them empties it when it starts. The folders of
    services that have ended are removed.
    """
    own = psutil.Process()
    folders = state / "metrics"
    folder = folders / f"{own.pid}-{own.create_time():.0f}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for other in folders.iterdir():
        if not _is_of_running_process(other.name):
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _is_of_running_process(name: str) -> bool:
    pid, _, created = name.partition("-")
    try:
        return abs(psutil.Process(int(pid)).create_time() - int(created)) < _SAME
    except (ValueError, psutil.Error):
        return False
