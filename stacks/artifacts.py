"""Files of artifacts that earlier runs have stored."""

from pathlib import Path
from uuid import UUID

from zenml.client import Client
from zenml.exceptions import ZenMLBaseException
from zenml.io import fileio

from terminal.errors import CommandError


class ArtifactLostError(CommandError):
    """The file of an artifact is no longer there, or cannot be read."""


def fetch_file(artifact_id: str, address: str, target: Path) -> None:
    """Copy a file of an artifact. `address` is where it was stored.

    ZenML says where the artifact is now, if it still knows it. Raises `ArtifactLostError`.
    """
    client = Client()
    try:
        _ = client.active_stack.artifact_store  # by this the files of a remote store can be read
        address = f"{client.get_artifact_version(UUID(artifact_id)).uri}/{address.rpartition('/')[2]}"
    except (KeyError, ValueError):  # ZenML has forgotten it; the file may be there all the same
        pass
    try:
        fileio.copy(address, str(target), overwrite=True)
    except (OSError, ValueError, ZenMLBaseException) as error:
        raise ArtifactLostError(
            f"artifact {artifact_id} cannot be read at {address} ({type(error).__name__})"
        ) from error
