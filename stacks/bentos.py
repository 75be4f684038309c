"""The Bento of a version: in this machine's store, or restored from the artifact of the run that packaged it."""

import os
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


def restore_bento(tag: str, run: str | None) -> None:
    """Import the Bento from its artifact, unless this machine's store has it. Several processes may do so at once.

    `run`: the name of the pipeline run that packaged it. Raises `BentoLostError`, `BentoStoreError`.
    """
    require_store()
    try:
        with hold(store_folder() / _LOCK, f"import of {tag}", _PATIENCE):
            _restore(tag, run)
    except LockedError as error:
        raise BentoStoreError(f"{error} is using the Bento store {store_folder()}; wait until it ends") from error


def _restore(tag: str, run: str | None) -> None:
    import bentoml
    from bentoml.exceptions import NotFound

    try:
        bentoml.get(tag)
        return
    except NotFound:
        pass
    from zenml.client import Client

    try:
        if run is None:
            raise KeyError("the version does not name its run")
        steps = Client().get_pipeline_run(run, allow_name_prefix_match=False).steps
        packaged = steps["package_bento"].outputs["bento"][0].load()
    except KeyError as error:
        raise BentoLostError(
            f"Bento {tag} is neither in this machine's store nor among ZenML's artifacts; train with --no-cache"
        ) from error
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "bento.tar"
        packaged.archive(archive)
        bentoml.import_bento(str(archive))
