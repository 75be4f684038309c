"""How tables, packaged Bentos and folders of listings are kept in the artifact store."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from zenml.enums import ArtifactType, VisualizationType
from zenml.io import fileio
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.metadata.metadata_types import MetadataType

from reports.table_page import first_rows_page

TABLE_FILE = "table.parquet"
_RECORD = "bento.json"
_ARCHIVE = "bento.tar"


@dataclass(frozen=True)
class PackagedBento:
    """A Bento by its tag, and the exported archive that restores it on another machine.

    Without a promotion there is no new Bento, so neither. `archive` writes the archive to a path. It is not read before
    that: it has some 30 MB, and most callers need the tag only.
    """

    tag: str | None
    archive: Callable[[Path], None] | None = field(default=None, repr=False, compare=False)


class TableMaterializer(BaseMaterializer):
    """Tables as parquet with zstd: 85,000 listings in 0.1 s, where gzip takes half a minute."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def load(self, data_type: type[Any]) -> pd.DataFrame:
        """Read the table."""
        with self.artifact_store.open(os.path.join(self.uri, TABLE_FILE), "rb") as file:
            return pd.read_parquet(file)

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        with self.artifact_store.open(os.path.join(self.uri, TABLE_FILE), "wb") as file:
            data.to_parquet(file, compression="zstd", index=False)

    def save_visualizations(self, data: pd.DataFrame) -> dict[str, VisualizationType]:
        """Show the first rows."""
        path = os.path.join(self.uri, "first_rows.html")
        with self.artifact_store.open(path, "w") as file:
            file.write(first_rows_page(data))
        return {path: VisualizationType.HTML}

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, MetadataType]:
        """Return the number of rows and the columns."""
        return {"rows": len(data), "columns": [str(column) for column in data.columns]}

    def compute_content_hash(self, data: pd.DataFrame) -> str | None:
        """Return a hash of the values: the steps after a table need not run again if its values are the same."""
        values = pd.util.hash_pandas_object(data, index=False).to_numpy()
        return hashlib.sha256(
            json.dumps([str(column) for column in data.columns]).encode() + values.tobytes()
        ).hexdigest()


class BentoMaterializer(BaseMaterializer):
    """The exported Bento beside a record of what it is."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PackagedBento,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def load(self, data_type: type[Any]) -> PackagedBento:
        """Read the record; the archive is not read."""
        with self.artifact_store.open(os.path.join(self.uri, _RECORD), "r") as file:
            record = json.load(file)
        archive = self._fetch_archive if record["archive"] else None
        return PackagedBento(record["tag"], archive)

    def save(self, data: PackagedBento) -> None:
        """Store the record and the archive."""
        record = {"tag": data.tag, "archive": _ARCHIVE if data.archive else None}
        with self.artifact_store.open(os.path.join(self.uri, _RECORD), "w") as file:
            json.dump(record, file)
        if data.archive:
            with self.get_temporary_directory(delete_at_exit=True) as folder:
                local = Path(folder) / _ARCHIVE
                data.archive(local)
                stored = os.path.join(self.uri, _ARCHIVE)
                with local.open("rb") as source, self.artifact_store.open(stored, "wb") as target:
                    shutil.copyfileobj(source, target)

    def _fetch_archive(self, path: Path) -> None:
        with self.artifact_store.open(os.path.join(self.uri, _ARCHIVE), "rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)

    def extract_metadata(self, data: PackagedBento) -> dict[str, MetadataType]:
        """Return the tag."""
        return {"bento_tag": data.tag or "none"}


@contextmanager
def folder_of_listings(address: str | None) -> Iterator[Path | None]:
    """Yield the folder at an address: itself on this machine, or a temporary copy of what is in the artifact store.

    Without an address, yield None: the embedded listings have no folder.
    """
    if address is None or "://" not in address:
        yield Path(address) if address else None
        return
    with tempfile.TemporaryDirectory(prefix="listings-") as copy:
        for name in fileio.listdir(address):
            fileio.copy(f"{address}/{name}", str(Path(copy) / name))
        yield Path(copy)
