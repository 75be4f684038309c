"""Where the raw listings of a run come from, identified by their content."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

SourceKind = Literal["embedded", "files"]
# What a model was trained on, in a sentence about it.
TRAINED_ON: dict[str, str] = {"embedded": "the embedded listings", "files": "files"}

# The challenge's names of the two files, in the order in which they are looked for.
LISTING_FILES = ("X_train_update.csv", "X_train.csv")
CODE_FILES = ("Y_train_CVw08PX.csv", "Y_train.csv")


class ListingSource(BaseModel):
    """The embedded synthetic listings (`size`, `seed`), or files at an address (`directory`, `sha256`)."""

    model_config = ConfigDict(frozen=True)

    kind: SourceKind
    size: int | None = None
    seed: int | None = None
    directory: str | None = None
    sha256: str | None = None

    def describe(self) -> str:
        """Return the source in a few words, for people."""
        if self.kind == "embedded":
            return f"the embedded synthetic listings ({self.size:,} of them, seed {self.seed})"
        return f"files with the SHA-256 {self.sha256}"

    def summary(self) -> dict[str, str | int]:
        """Return what is known of it, for people who look at the artifact in a dashboard."""
        known: dict[str, str | int] = self.model_dump(exclude_none=True)
        return known
