"""Where the raw listings of a run come from, identified by their content."""

from pathlib import Path
from typing import Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict


class ListingSource(BaseModel):
    """The embedded synthetic listings (`size`, `seed`), or files at an address (`directory`, `sha256`)."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["embedded", "files"]
    size: int | None = None
    seed: int | None = None
    directory: str | None = None
    sha256: str | None = None

    @classmethod
    def of_files(cls, address: str, folder: Path) -> Self:
        """Return the source of the files in a folder, which is a copy of what is at the address, or the same.

        Raises `ListingReadError` if the files are not there.
        """
        from catalog.listings import source_fingerprint

        return cls(kind="files", directory=address, sha256=source_fingerprint(folder))

    def read(self, folder: Path | None) -> pd.DataFrame:
        """Return the raw listings, every column as text; of files, those in `folder`. Raises `ListingReadError`."""
        if self.size is not None and self.seed is not None:
            from catalog.synthetic import generate

            frame = generate(self.size, self.seed)
            return frame.astype(dict.fromkeys(frame.columns.drop("description"), "str"))
        from catalog.listings import ListingReadError, read_listings

        if folder is None:
            raise ListingReadError("the listings have no folder")
        return read_listings(folder)

    def describe(self) -> str:
        """Return the source in a few words, for people."""
        if self.kind == "embedded":
            return f"the embedded synthetic listings ({self.size:,} of them, seed {self.seed})"
        return f"files with the SHA-256 {self.sha256}"

    def summary(self) -> dict[str, str | int]:
        """Return what is known of it, for people who look at the artifact in a dashboard."""
        known: dict[str, str | int] = self.model_dump(exclude_none=True)
        return known
