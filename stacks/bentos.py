"""The Bento of a version: in this machine's store, or restored from the artifact of the run that packaged it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from terminal.errors import CommandError


class BentoLostError(CommandError):
    """A Bento is neither in this machine's store nor among ZenML's artifacts."""


def restore_bento(tag: str, run: str | None) -> None:
    """Import the Bento from its artifact, unless this machine's store has it.

    `run`: the name of the pipeline run that packaged it. Raises `BentoLostError`.
    """
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
