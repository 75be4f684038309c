"""The classifier as it is served: numpy only, a folder of plain arrays and JSON, nothing executable in it.

The folder holds `manifest.json` (what the model is, and the SHA-256 of every other file), `blocks.json`, one
`terms-N.txt` a block, `idf.npy`, `coefficients.npy` (terms x types, memory-mapped), `intercept.npy` and `classes.npy`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from catalog.text import character_terms, normalise, with_pairs, words

MANIFEST = "manifest.json"
_REMEMBERED_WORDS = 50_000  # a block; the words of a catalogue recur


class ModelFolderError(ValueError):
    """The model folder is not the one that its manifest describes."""


@dataclass(frozen=True)
class Manifest:
    """What a packaged model is: its identity, its scores, its taxonomy, and the digest of every file."""

    name: str
    model_version: str
    run_id: str
    data_hash: str
    scores: Mapping[str, float]
    labels: Mapping[int, str]
    threshold: float | None  # confidence below which the model abstains; None: the target precision was out of reach
    temperature: float
    created_at: str
    files: Mapping[str, str] = field(default_factory=dict)

    def seal(self, folder: Path) -> None:
        """Write the manifest into a folder, with the digests of the files that are there."""
        files = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
        content = json.dumps({**asdict(self), "files": files}, ensure_ascii=False, indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(content + "\n", encoding="utf-8")

    @classmethod
    def verified(cls, folder: Path) -> Self:
        """Read a folder's manifest and hold every file against it.

        Raises `ModelFolderError` naming the first file that is missing, added or changed.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise ModelFolderError(f"{folder}: no {MANIFEST}, so this is no packaged model")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content["labels"] = {int(code): label for code, label in content["labels"].items()}
            manifest = cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelFolderError(f"{path} cannot be read: {error}") from error
        present = {entry.name for entry in folder.iterdir()} - {MANIFEST}
        for name in sorted(present ^ set(manifest.files)):
            raise ModelFolderError(f"{folder / name} is {'not in the manifest' if name in present else 'missing'}")
        for name, digest in manifest.files.items():
            if _sha256(folder / name) != digest:
                raise ModelFolderError(f"{folder / name} has changed since the model was packaged")
        return manifest


@dataclass(frozen=True)
class Prediction:
    """The answer for one listing. `abstained`: the confidence is too low to act on without a person."""

    code: int
    label: str
    confidence: float
    abstained: bool
    top_k: list[tuple[int, str, float]]


class Predictor:
    """Answers for single listings from a verified model folder."""

    def __init__(self, folder: Path) -> None:
        self.manifest = Manifest.verified(folder)
        self._blocks = [
            _Block(block, (folder / f"terms-{number}.txt").read_text(encoding="utf-8"))
            for number, block in enumerate(json.loads((folder / "blocks.json").read_text(encoding="utf-8")))
        ]
        first = 0
        for block in self._blocks:
            block.first, first = first, first + block.size
        self._idf = np.load(folder / "idf.npy", allow_pickle=False)
        self._coefficients = np.load(folder / "coefficients.npy", mmap_mode="r", allow_pickle=False)
        self._intercept = np.load(folder / "intercept.npy", allow_pickle=False)
        self.classes: NDArray[np.int64] = np.load(folder / "classes.npy", allow_pickle=False)

    def scores(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the raw scores of one listing (types, in the order of `classes`)."""
        title_words = words(normalise(title))
        description_words = words(normalise(description)) if description else []
        fields = {"title": title_words, "description": description_words, "both": title_words + description_words}
        columns: list[int] = []
        values: list[NDArray[np.float32]] = []
        for block in self._blocks:
            counts = Counter(block.columns(fields[block.field]))
            if not counts:
                continue
            own = list(counts)
            weights = (1 + np.log(np.fromiter(counts.values(), np.float32, len(own)))) * self._idf[own]
            weights *= block.weight / np.sqrt(weights @ weights)
            columns += own
            values.append(weights)
        if not columns:
            return np.asarray(self._intercept, dtype=np.float64)
        answer: NDArray[np.float64] = (np.concatenate(values) @ self._coefficients[columns]) + self._intercept
        return answer

    def probabilities(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the confidence in each type (types, sums to 1)."""
        scaled = self.scores(title, description) * self.manifest.temperature
        exponents = np.exp(scaled - scaled.max())
        answer: NDArray[np.float64] = exponents / exponents.sum()
        return answer

    def predict_top_k(self, title: str, description: str | None = None, k: int = 3) -> Prediction:
        """Return the most likely type of a listing, and the `k` most likely ones with their confidence."""
        probabilities = self.probabilities(title, description)
        best = np.argsort(-probabilities, kind="stable")[:k]
        labels = self.manifest.labels
        top = [
            (int(self.classes[column]), labels[int(self.classes[column])], float(probabilities[column]))
            for column in best
        ]
        code, label, confidence = top[0]
        threshold = self.manifest.threshold
        return Prediction(code, label, confidence, threshold is None or confidence < threshold, top)


class _Block:
    """The terms of one block and where their columns start."""

    first = 0

    def __init__(self, block: Mapping[str, Any], joined_terms: str) -> None:
        terms = joined_terms.split("\n") if joined_terms else []
        self.size = len(terms)
        self.field: str = block["field"]
        self.weight = np.float32(block["weight"])
        self._kind: str = block["kind"]
        self._shortest: int = block["shortest"]
        self._longest: int = block["longest"]
        self._column_of = {term: column for column, term in enumerate(terms)}
        self._columns_of_word: dict[str, list[int]] = {}

    def columns(self, tokens: Sequence[str]) -> list[int]:
        """Return the columns of the terms of these words, repeated as often as they occur."""
        if self._kind == "words":
            terms = with_pairs(list(tokens)) if self._longest > 1 else tokens
            return [self.first + self._column_of[term] for term in terms if term in self._column_of]
        found: list[int] = []
        for word in tokens:
            columns = self._columns_of_word.get(word)
            if columns is None:
                terms = character_terms(word, self._shortest, self._longest)
                columns = [self.first + self._column_of[term] for term in terms if term in self._column_of]
                if len(self._columns_of_word) < _REMEMBERED_WORDS:
                    self._columns_of_word[word] = columns
            found += columns
        return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
