"""Read the listings as they are."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from zenml import ArtifactConfig, log_metadata, step
from zenml.io import fileio

from steps.caching import READING, depends_on
from steps.materializers import TableMaterializer


def identify_source(data: str | None, size: int, seed: int) -> dict[str, Any]:
    """Return what the listings are read from, with a digest of the files' content.

    Raises `ListingReadError` when the files are not there.
    """
    if data is None:
        return {"kind": "embedded", "size": size, "seed": seed}
    from catalog.listings import source_fingerprint

    with local_folder(data) as folder:
        return {"kind": "files", "directory": data, "sha256": source_fingerprint(folder)}


def read_source(source: Mapping[str, Any]) -> pd.DataFrame:
    """Return the raw listings, every column as text. Raises `ListingReadError` on what cannot be read."""
    if source["kind"] == "embedded":
        from catalog.synthetic import generate

        frame = generate(source["size"], source["seed"])
        for column in frame.columns.drop("description"):
            frame[column] = frame[column].astype("str")
        return frame
    from catalog.listings import read_listings

    with local_folder(source["directory"]) as folder:
        return read_listings(folder)


@contextmanager
def local_folder(address: str) -> Iterator[Path]:
    """Give the folder of listings at an address: itself on this machine, a copy of what is in the artifact store."""
    if "://" not in address:
        yield Path(address)
        return
    with tempfile.TemporaryDirectory(prefix="listings-") as copy:
        for name in fileio.listdir(address):
            fileio.copy(f"{address}/{name}", str(Path(copy) / name))
        yield Path(copy)


@step(output_materializers=TableMaterializer, cache_policy=depends_on(READING))
def ingest_listings(
    source: dict[str, Any],
) -> Annotated[pd.DataFrame, ArtifactConfig(name="raw_listings", tags=["data"])]:
    """Read the listings as they are."""
    raw = read_source(source)
    log_metadata(metadata={"rows": len(raw), **source}, artifact_name="raw_listings", infer_artifact=True)
    return raw
