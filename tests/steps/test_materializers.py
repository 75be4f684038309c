"""How a packaged Bento is stored as an artifact and read back."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from zenml.artifact_stores import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType

from steps.materializers import BentoMaterializer, PackagedBento

ARCHIVE = b"the archive"
PACKAGED = PackagedBento("shop:1-abc", lambda path: path.write_bytes(ARCHIVE) and None)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that replaces the system's temporary directory."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def materializer(tmp_path: Path) -> BentoMaterializer:
    now = datetime.now(UTC)
    folder = tmp_path / "artifacts"
    (folder / "bento").mkdir(parents=True)
    store = LocalArtifactStore(
        name="there", id=uuid4(), config=LocalArtifactStoreConfig(path=str(folder)), flavor="local",
        type=StackComponentType.ARTIFACT_STORE, user=uuid4(), created=now, updated=now,
    )  # fmt: skip
    return BentoMaterializer(str(folder / "bento"), store)


def test_the_archive_is_stored_and_read_back_and_no_temporary_file_is_left(
    materializer: BentoMaterializer, temporary: Path, tmp_path: Path
) -> None:
    materializer.save(PACKAGED)
    loaded = materializer.load(PackagedBento)
    assert loaded.tag == PACKAGED.tag
    assert loaded.archive is not None
    loaded.archive(tmp_path / "fetched.tar")
    assert (tmp_path / "fetched.tar").read_bytes() == ARCHIVE
    assert list(temporary.iterdir()) == []


def test_the_tag_is_read_without_the_archive(materializer: BentoMaterializer, tmp_path: Path) -> None:
    materializer.save(PACKAGED)
    (tmp_path / "artifacts" / "bento" / "bento.tar").unlink()
    assert materializer.load(PackagedBento).tag == PACKAGED.tag


def test_without_a_new_bento_no_archive_is_stored(materializer: BentoMaterializer, tmp_path: Path) -> None:
    materializer.save(PackagedBento(None))
    assert [path.name for path in (tmp_path / "artifacts" / "bento").iterdir()] == ["bento.json"]
    loaded = materializer.load(PackagedBento)
    assert loaded.tag is None
    assert loaded.archive is None
