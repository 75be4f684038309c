"""The Bento of a version: in this machine's store, or restored from the artifact of the run that packaged it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from state.folder import StateError, require_writable
from state.lock import LockedError, hold
from terminal.errors import CommandError

_LOCK = "product-types.lock"
_PATIENCE = 120  # seconds for another process to import a Bento


class BentoLostError(CommandError):
    """A Bento is neither in this machine's store nor among ZenML's artifacts."""


class BentoStoreError(CommandError):
    """This machine's Bento store cannot be used."""


def store_folder() -> Path:
    """Return BentoML's folder. Raises `BentoStoreError` when nobody knows where it is: there is no home folder."""
    try:
        return Path(os.path.expandvars(os.environ.get("BENTOML_HOME") or "~/bentoml")).expanduser()
    except RuntimeError as error:
        raise BentoStoreError(
            "this user has no home folder: set HOME, or name a folder for all state with --state DIR"
        ) from error


def require_store() -> None:
    """Raise `BentoStoreError` unless this machine's Bento store can be written to."""
    try:
        require_writable(store_folder(), "the Bento store")
    except StateError as error:
        raise BentoStoreError(str(error)) from error


def restore_bento(tag: str, run: str | None, *, anew: bool = False) -> Path:
    """Return the folder of a Bento in this machine's store. It is imported from its artifact unless it is there.

    Several processes may do so at once. `run`: the name of the pipeline run that packaged it. `anew`: replace a Bento
    in the store that is damaged; it is deleted when its replacement is here.

    Raises `BentoLostError`, `BentoStoreError`.
    """
    require_store()
    with _locked(f"import of {tag}"):
        return _restore(tag, run, anew=anew)


def delete_bento(tag: str) -> None:
    """Delete a Bento from this machine's store, if it is there. Raises `BentoStoreError`."""
    if store_folder().is_dir():
        with _locked(f"removal of {tag}"):
            _delete(tag)


@contextmanager
def _locked(purpose: str) -> Iterator[None]:
    """Keep other processes of ours from changing the Bento store. Raises `BentoStoreError` when one does for long."""
    try:
        with hold(store_folder() / _LOCK, purpose, _PATIENCE):
            yield
    except LockedError as error:
        raise BentoStoreError(f"{error} is using the Bento store {store_folder()}; wait until it ends") from error


def _restore(tag: str, run: str | None, *, anew: bool) -> Path:
    import bentoml
    from bentoml.exceptions import BentoMLException

    with suppress(BentoMLException, OSError, ValueError):  # not there, or not readable
        found = bentoml.get(tag)
        if not anew and str(found.tag) == tag:  # a tag is found by its beginning too
            return Path(found.path)
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "bento.tar"
        _fetch(tag, run, archive)
        _delete(tag)  # what is damaged, or half imported by a process that was killed
        return Path(bentoml.import_bento(str(archive)).path)


def _fetch(tag: str, run: str | None, archive: Path) -> None:
    """Write the archive of a Bento from the artifact of its run. Raises `BentoLostError`."""
    from zenml.client import Client

    lost = BentoLostError(
        f"Bento {tag} is neither in this machine's store, undamaged, nor among ZenML's artifacts; train with --no-cache"
    )
    try:
        if run is None:
            raise KeyError("the version does not name its run")
        steps = Client().get_pipeline_run(run, allow_name_prefix_match=False).steps
        packaged = steps["package_bento"].outputs["bento"][0].load()
    except KeyError as error:
        raise lost from error
    if packaged.archive is None:
        raise lost
    packaged.archive(archive)


def _delete(tag: str) -> None:
    import bentoml
    from bentoml.exceptions import NotFound

    with suppress(NotFound):
        bentoml.delete(tag)
