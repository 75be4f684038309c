"""The folder in which a trained model is packaged: plain arrays, text and JSON, with nothing executable in it.

    manifest.json      what the model is, and the SHA-256 of every other file
    blocks.json        the definitions of the blocks
    terms-N.txt        the terms of block N in column order, one a line
    idf.npy            inverse document frequency (terms, float32)
    coefficients.npy   (terms x types, float32); read as a memory map
    intercept.npy      (types, float64)
    classes.npy        the codes of the types (types, int64)
    vectors.npy        (513 x types, float32): what each number of a listing's sentence vector adds, and what the mean
                       vector would add, negative; only of a model with such vectors
    card.md            the model card; optional

The columns of the blocks follow each other: the terms of block 0 first.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from catalog.blocks import Block

MANIFEST = "manifest.json"
CARD = "card.md"
_BLOCKS = "blocks.json"
_SEAL = "sha256"  # in the manifest: the digest of all the rest of it


class ModelFolderError(ValueError):
    """The content of a model folder does not match its manifest, or there is no manifest."""


@dataclass(frozen=True)
class Manifest:
    """What a packaged model is: its identity, its scores, its taxonomy, and the digest of every file."""

    name: str
    model_version: str
    run_id: str
    data_hash: str
    scores: Mapping[str, float]
    labels: Mapping[int, str]
    threshold: float | None  # the model abstains below this confidence; None: no threshold reached the target precision
    usual_score: float | None  # a listing whose highest raw score is below it is novel; None: it is not known
    abstains_on_novelty: bool  # whatever the confidence is
    temperature: float
    parameters: Mapping[str, Any]  # of the candidate that was chosen
    registered_at: str  # ISO 8601
    encoder: str = ""  # of sentence vectors: package and version; empty: the model has none
    files: Mapping[str, str] = field(default_factory=dict)

    def seal(self, folder: Path) -> None:
        """Write the manifest into a folder, with the digests of all files in it and of the manifest itself."""
        files = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
        content = json.loads(json.dumps({**asdict(self), "files": files}))
        sealed = json.dumps({**content, _SEAL: _digest_of(content)}, ensure_ascii=False, indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(sealed + "\n", encoding="utf-8")

    @classmethod
    def verified(cls, folder: Path) -> Self:
        """Read a folder's manifest and check every file against it.

        Raises `ModelFolderError` that names the first missing, added or changed file.
        """
        manifest = cls._read(folder / MANIFEST)
        present = {entry.name for entry in folder.iterdir()} - {MANIFEST}
        for name in sorted(present ^ set(manifest.files)):
            raise ModelFolderError(f"{folder / name} is {'not in the manifest' if name in present else 'missing'}")
        for name, digest in manifest.files.items():
            if not (folder / name).is_file() or _sha256(folder / name) != digest:
                raise ModelFolderError(f"{folder / name} has changed since the model was packaged")
        return manifest

    @classmethod
    def _read(cls, path: Path) -> Self:
        if not path.is_file():
            raise ModelFolderError(f"{path.parent} is not a packaged model: it has no {MANIFEST}")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.pop(_SEAL) != _digest_of(content):
                raise ModelFolderError(f"{path} has changed since the model was packaged")
            content["labels"] = {int(code): label for code, label in content["labels"].items()}
            content["files"] = {str(name): str(digest) for name, digest in content["files"].items()}
            return cls(**content)
        except ModelFolderError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelFolderError(f"{path} cannot be read: {error}") from error


@dataclass(frozen=True)
class ModelArrays:
    """The numbers of a model: shapes and types as in the description of the folder above."""

    idf: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float64]
    classes: NDArray[np.int64]
    vectors: NDArray[np.float32] | None = None

    def write(self, folder: Path) -> None:
        """Write the arrays into an existing folder."""
        for name, array in vars(self).items():
            if array is not None:
                np.save(folder / f"{name}.npy", array)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the arrays; the coefficients stay in their file and are mapped into memory."""
        return cls(
            idf=np.load(folder / "idf.npy", allow_pickle=False),
            # As a plain array, which still maps the file: each view of a memmap object takes a microsecond to make.
            coefficients=np.asarray(np.load(folder / "coefficients.npy", mmap_mode="r", allow_pickle=False)),
            intercept=np.load(folder / "intercept.npy", allow_pickle=False),
            classes=np.load(folder / "classes.npy", allow_pickle=False),
            vectors=np.load(vectors, allow_pickle=False) if (vectors := folder / "vectors.npy").is_file() else None,
        )


def write_blocks(folder: Path, blocks: Sequence[Block], joined_terms: Sequence[str]) -> None:
    """Write the blocks, and of each block its terms, given as one string with a term a line."""
    (folder / _BLOCKS).write_text(json.dumps([asdict(block) for block in blocks], indent=2), encoding="utf-8")
    for number, terms in enumerate(joined_terms):
        _terms_file(folder, number).write_text(terms, encoding="utf-8")


def read_blocks(folder: Path) -> list[Block]:
    """Return the definitions of the blocks."""
    return [Block(**content) for content in json.loads((folder / _BLOCKS).read_text(encoding="utf-8"))]


def read_terms(folder: Path, number: int) -> Iterator[str]:
    """Yield the terms of one block in column order.

    They are read line by line: a whole vocabulary at once would leave a hole in the memory of the process.
    """
    with _terms_file(folder, number).open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n")


def _terms_file(folder: Path, number: int) -> Path:
    return folder / f"terms-{number}.txt"


def _digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
