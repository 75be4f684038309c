"""What can be served: a version of the registry whose Bento is in this machine's store, and intact."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.model_folder import MANIFEST, Manifest, ModelFolderError
from terminal.errors import CommandError

if TYPE_CHECKING:
    from tracking.registry import RegisteredVersion


class RefusedError(CommandError):
    """A version cannot be served. It is tried again when the registry says something else about it."""

    def __init__(self, version: "RegisteredVersion", why: str) -> None:
        super().__init__(why)
        self.version = version


@dataclass(frozen=True)
class Release:
    """A version, and the verified Bento of it in this machine's store."""

    version: "RegisteredVersion"
    tag: str
    bento: Path  # the folder of the Bento

    @property
    def source(self) -> Path:
        """The code in the Bento, with the model folder."""
        return self.bento / "src"

    @property
    def model(self) -> Path:
        """The model folder in the Bento."""
        return self.source / "model"

    @property
    def is_there(self) -> bool:
        """Whether the Bento is still in the store."""
        return (self.model / MANIFEST).is_file()

    def serves(self, version: "RegisteredVersion") -> bool:
        """Whether this is what a version of the registry asks for."""
        return version.number == self.version.number and version.tags.get("bento_tag") == self.tag


def prepare(version: "RegisteredVersion") -> Release:
    """Put the Bento of a version into this machine's store, unless it is there intact.

    Raises `RefusedError` when there is no intact Bento of it.
    """
    from stacks.bentos import BentoLostError, restore_bento

    tag = version.tags.get("bento_tag")
    if not tag:
        raise RefusedError(version, "it has no Bento, since no training has promoted it")
    run = version.tags.get("bento_run")
    try:
        release = Release(version, tag, restore_bento(tag, run))
        damage = _damage(release)
        if damage:
            release = Release(version, tag, restore_bento(tag, run, anew=True))
            damage = _damage(release)
    except BentoLostError as error:
        raise RefusedError(version, str(error)) from error
    if damage:
        raise RefusedError(version, f"its Bento is damaged, also in the artifact: {damage}")
    return release


def next_release(name: str, served: Release, refused: "RegisteredVersion | None") -> Release | None:
    """Return the release to serve: the one that is served when it still is in production, None for a refused one.

    A Bento that is served and has gone from the store is put there again, for the workers that start later.
    `refused`: the version that could not be served, as the registry had it then; it is not tried again.

    Raises `RefusedError`, and whatever the registry and the artifact store raise.
    """
    from tracking.registry import PRODUCTION, by_alias

    if not served.is_there:
        prepare(served.version)
    version = by_alias(name, PRODUCTION)
    if version is None or served.serves(version):
        return served
    return None if version == refused else prepare(version)


def _damage(release: Release) -> str:
    """Return what differs from the manifest of the packaged model; nothing when the Bento is intact."""
    try:
        Manifest.verified(release.model)
    except (ModelFolderError, OSError) as error:
        return str(error)
    return ""
