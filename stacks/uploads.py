"""Files that the steps read, where the steps run on other machines."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from zenml.client import Client
from zenml.io import fileio


def steps_run_here() -> bool:
    """Return whether the active stack runs its steps in this process, so that they read this machine's files."""
    return Client().active_stack.orchestrator.flavor == "local"


def upload(files: Iterable[Path], folder: str) -> str:
    """Copy files into a folder of the active stack's artifact store, over what is there, and return its address."""
    target = f"{Client().active_stack.artifact_store.path}/{folder}"
    fileio.makedirs(target)
    for path in files:
        fileio.copy(str(path), f"{target}/{path.name}", overwrite=True)
    return target


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """Yield the folder at an address: itself on this machine, or a temporary copy of what was uploaded.

    Raises what the artifact store does: `OSError` where nothing is there.
    """
    if "://" not in address:
        yield Path(address)
        return
    with TemporaryDirectory() as copy:
        for name in fileio.listdir(address):
            fileio.copy(f"{address}/{name}", str(Path(copy) / str(name)))
        yield Path(copy)
