"""The classifier as it is served: numpy only, a folder of plain arrays and JSON, nothing executable in it.

The folder holds `manifest.json` (what the model is, and the SHA-256 of every other file), `blocks.json`, one
`terms-N.txt` a block, `idf.npy`, `coefficients.npy` (terms x types, memory-mapped), `intercept.npy`, `classes.npy` and,
where it was packaged with one, the model card `card.md`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from catalog.text import character_terms, normalise, words

MANIFEST = "manifest.json"
CARD = "card.md"
_SEAL = "sha256"  # the manifest's own digest, which is over all the rest of it

_REMEMBERED_BYTES = 4 * 2**20  # for the columns of words that came before, in each of two generations: 9,000 words
_BESIDE_A_WORD = 220  # bytes that Python takes for a word besides its letters and its columns
# Stand at either end of a listing's ascending columns, so that each run of equal ones has a neighbour on both sides.
_GUARDS = np.array([-1, np.iinfo(np.int32).max], dtype=np.int32).tobytes()

Hashes = NDArray[np.int64]
Columns = NDArray[np.int32]
Weights = NDArray[np.float32]
Term = str | tuple[str, ...]  # a piece of a word; a word, or a pair of neighbours


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
    parameters: Mapping[str, Any]  # of the candidate that was chosen
    registered_at: str  # ISO 8601
    files: Mapping[str, str] = field(default_factory=dict)

    def seal(self, folder: Path) -> None:
        """Write the manifest into a folder, with the digests of the files that are there and of the manifest itself."""
        files = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
        content = json.loads(json.dumps({**asdict(self), "files": files}))
        sealed = json.dumps({**content, _SEAL: _digest_of(content)}, ensure_ascii=False, indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(sealed + "\n", encoding="utf-8")

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
            if content.pop(_SEAL) != _digest_of(content):
                raise ModelFolderError(f"{path} has changed since the model was packaged")
            content["labels"] = {int(code): label for code, label in content["labels"].items()}
            content["files"] = {str(name): str(digest) for name, digest in content["files"].items()}
            manifest = cls(**content)
        except ModelFolderError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelFolderError(f"{path} cannot be read: {error}") from error
        present = {entry.name for entry in folder.iterdir()} - {MANIFEST}
        for name in sorted(present ^ set(manifest.files)):
            raise ModelFolderError(f"{folder / name} is {'not in the manifest' if name in present else 'missing'}")
        for name, digest in manifest.files.items():
            if not (folder / name).is_file() or _sha256(folder / name) != digest:
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


@dataclass(frozen=True)
class Reason:
    """What one term of a listing adds to the raw score of a type (below 0: takes from it).

    `term` is a word, a pair of neighbours or, where `kind` is `characters`, a piece of a word, with `·` where the word
    begins or ends: `·pisc`, `cine·`. `field` is where the term was counted, `both` being title and description pooled.
    """

    term: str
    field: Literal["title", "description", "both"]
    kind: Literal["words", "characters"]
    contribution: float


class Predictor:
    """Answers for single listings from a verified model folder. Any number of threads may share one."""

    def __init__(self, folder: Path) -> None:
        self.manifest = Manifest.verified(folder)
        self.card = (folder / CARD).read_text(encoding="utf-8") if CARD in self.manifest.files else ""
        contents = json.loads((folder / "blocks.json").read_text(encoding="utf-8"))
        self._blocks = [_Block(content) for content in contents]
        hashes = [block.read_hashes(folder / f"terms-{number}.txt") for number, block in enumerate(self._blocks)]
        self._vocabulary = _Vocabulary(self._blocks, hashes)
        self._block_bounds = np.cumsum([0, *map(len, hashes)], dtype=np.int32)
        self._idf = np.load(folder / "idf.npy", allow_pickle=False)
        # As a plain array, which it still maps: each view of a memmap object takes a microsecond to make.
        self._coefficients = np.asarray(np.load(folder / "coefficients.npy", mmap_mode="r", allow_pickle=False))
        self._intercept = np.load(folder / "intercept.npy", allow_pickle=False)
        self.classes: NDArray[np.int64] = np.load(folder / "classes.npy", allow_pickle=False)
        self._types = [(code, self.manifest.labels[code]) for code in self.classes.tolist()]
        self._block_weights = np.array([block.weight for block in self._blocks], dtype=np.float32)

    def scores(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the raw scores of one listing (types, in the order of `classes`)."""
        columns, weights = self._weigh(self._vocabulary.columns(*_tokens(title, description)))
        # `clip` spares numpy the check of every column, which takes longer than the arithmetic.
        answer: NDArray[np.float64] = weights @ self._coefficients.take(columns, axis=0, mode="clip") + self._intercept
        return answer

    def probabilities(self, title: str, description: str | None) -> NDArray[np.float64]:
        """Return the confidence in each type (types, sums to 1)."""
        scaled = self.scores(title, description) * self.manifest.temperature
        exponents = np.exp(scaled - scaled.max())
        answer: NDArray[np.float64] = exponents / exponents.sum()
        return answer

    def predict_top_k(self, title: str, description: str | None = None, k: int = 3) -> Prediction:
        """Return the most likely type of a listing, and the `k` (at least 1) most likely ones with their confidence."""
        probabilities = self.probabilities(title, description)
        best = (-probabilities).argsort(kind="stable")[:k]
        pairs = zip(best.tolist(), probabilities[best].tolist(), strict=True)
        top = [(*self._types[column], confidence) for column, confidence in pairs]
        code, label, confidence = top[0]
        threshold = self.manifest.threshold
        return Prediction(code, label, confidence, threshold is None or confidence < threshold, top)

    def explain(
        self, title: str, description: str | None, code: int, limit: int = 10
    ) -> tuple[list[Reason], list[Reason]]:
        """Return the terms that spoke for a type and those that spoke against it, the strongest `limit` of each first.

        The contributions of all terms and the type's intercept sum to its score. Raises `ValueError` for a code that
        the model was not trained on.
        """
        found = np.flatnonzero(self.classes == code)
        if len(found) == 0:
            raise ValueError(f"the model knows no type {code}")
        tokens = _tokens(title, description)
        columns, weights = self._weigh(self._vocabulary.columns(*tokens))
        parts = weights * self._coefficients[columns, found[0]]
        contributions = dict(zip(columns.tolist(), parts.tolist(), strict=True))
        reasons: dict[int, Reason] = {}
        for number, block in enumerate(self._blocks):
            terms = block.terms(*tokens)
            for term, column in zip(terms, self._vocabulary.columns_in_block(terms, number), strict=True):
                if column >= 0:
                    reasons[column] = Reason(_shown(term), block.field, block.kind, contributions[column])
        ranked = sorted(reasons.values(), key=lambda reason: -abs(reason.contribution))
        supporting = [reason for reason in ranked if reason.contribution > 0]
        opposing = [reason for reason in ranked if reason.contribution < 0]
        return supporting[:limit], opposing[:limit]

    def _weigh(self, columns: Columns) -> tuple[Columns, Weights]:
        """Return the distinct ones of ascending columns between guards, and the weight of each as in training.

        That is (1 + log count) * idf, each block scaled to the length `weight`; all blocks in one pass.
        """
        ends = (columns[1:] != columns[:-1]).nonzero()[0]  # of the runs of equal columns, the guard's before all others
        distinct = columns.take(ends[1:])
        weights: Weights = np.log((ends[1:] - ends[:-1]).astype(np.float32))
        weights += 1
        weights *= self._idf.take(distinct)
        bounds = distinct.searchsorted(self._block_bounds)
        sizes = bounds[1:] - bounds[:-1]
        filled = sizes.nonzero()[0]
        lengths = np.sqrt(np.add.reduceat(weights * weights, bounds[filled]))
        weights *= (self._block_weights[filled] / lengths).repeat(sizes[filled])
        return distinct, weights


class _Block:
    """What one block counts."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.field: Literal["title", "description", "both"] = content["field"]
        self.kind: Literal["words", "characters"] = content["kind"]
        self.shortest: int = content["shortest"]
        self.longest: int = content["longest"]
        self.weight: float = content["weight"]

    def terms(self, title: list[str], description: list[str]) -> list[Term]:
        """Return all terms of a listing, repeated as often as they occur."""
        tokens = {"title": title, "description": description, "both": title + description}[self.field]
        if self.kind == "characters":
            return [term for word in tokens for term in character_terms(word, self.shortest, self.longest)]
        return [*((word,) for word in tokens), *(pairwise(tokens) if self.longest > 1 else ())]

    def read_hashes(self, path: Path) -> Hashes:
        """Return the hashes of the terms in a file, one a line. Line by line: all at once leave a hole in memory.

        Words and pairs are hashed as tuples: so they differ from pieces of a word that read alike, and the pairs of a
        listing need not be joined.
        """
        with path.open(encoding="utf-8", newline="\n") as file:
            lines = (line.removesuffix("\n") for line in file)
            return _hashes(lines if self.kind == "characters" else (tuple(line.split(" ")) for line in lines))


class _Vocabulary:
    """Finds the columns of a listing's terms by hash: 23 bytes a term, where dictionaries of the terms took 130.

    A row for each hash holds its column in each block, -1 where the block does not count it. The rows are sorted by
    hash, and there is about one starting place for each, by leading bits: a hash stands in the few rows from the start
    of its bits on, or nowhere. Python's hashes have 64 bits and, unless PYTHONHASHSEED says otherwise, another key in
    each process: that a new term is taken for one of a million known ones happens once in 10^13 terms, and nobody can
    look for such a term.
    """

    def __init__(self, blocks: Sequence[_Block], hashes: Sequence[Hashes]) -> None:
        # Within a row, blocks of titles alone first and of descriptions alone last: what a place counts is one slice.
        fields = [block.field for block in blocks]
        order = sorted(range(len(blocks)), key=lambda number: ("title", "both", "description").index(fields[number]))
        self._positions = [order.index(number) for number in range(len(blocks))]
        self._first, self._last = fields.count("title"), len(fields) - fields.count("description")
        pieces = [block for block in blocks if block.kind == "characters"]
        self._shortest = min((block.shortest for block in pieces), default=1)
        self._longest = max((block.longest for block in pieces), default=0)

        distinct, rows = np.unique(np.concatenate(hashes).view(np.uint64), return_inverse=True)
        self._columns = np.full((len(distinct), len(blocks)), -1, dtype=np.int32)
        self._columns[rows, np.repeat(self._positions, [len(part) for part in hashes])] = np.arange(len(rows))
        bits = max(len(distinct).bit_length(), 1)
        self._shift = 64 - bits
        sizes = np.bincount((distinct >> np.uint64(self._shift)).view(np.int64), minlength=1 << bits)
        self._starts = (sizes.cumsum() - sizes).astype(np.int32)
        self._steps = np.arange(sizes.max())
        # What is looked for near the end begins with ones, so it is never found in the zeros beyond it.
        self._hashes = np.concatenate([distinct.view(np.int64), np.zeros(len(self._steps), dtype=np.int64)])

        self._remembered: _Remembered = ({}, {})
        self._before: _Remembered = ({}, {})
        self._room = _REMEMBERED_BYTES

    def columns(self, title: list[str], description: list[str]) -> Columns:
        """Return the columns of a listing's terms in ascending order, repeated as often as the terms occur.

        Before the first one stands -1, at least once, and behind the last one a number above all columns.
        """
        remembered = in_titles, in_descriptions = self._remembered  # to the end: another thread may start anew
        try:
            found = [*map(in_titles.__getitem__, title), *map(in_descriptions.__getitem__, description)]
        except KeyError:
            self._remember([word for word in {*title, *description} if word not in in_titles], remembered)
            found = [*map(in_titles.__getitem__, title), *map(in_descriptions.__getitem__, description)]
        tokens = title + description
        hits, pairs = self._find(_hashes(pairwise(tokens), max(len(tokens) - 1, 0)))
        in_title, not_in_description = (np.count_nonzero(hits[:end]) for end in (max(len(title) - 1, 0), len(title)))
        pairs[in_title:, : self._first] = -1
        pairs[:not_in_description, self._last :] = -1
        return np.sort(np.frombuffer(b"".join([*found, pairs.tobytes(), _GUARDS]), np.int32))

    def columns_in_block(self, terms: Sequence[Term], number: int) -> list[int]:
        """Return the columns of terms in one block, -1 for a term that it does not count."""
        hits, columns = self._find(_hashes(terms))
        answer = np.full(len(terms), -1)
        answer[hits.any(axis=1)] = columns[:, self._positions[number]]
        return answer.tolist()

    def _remember(self, words: Iterable[str], remembered: "_Remembered") -> None:
        """Remember the columns within words, which recur. Where room ends, a new generation takes what it needs."""
        in_titles, in_descriptions = remembered
        titles_before, descriptions_before = self._before
        taken = [(word, titles_before[word], descriptions_before[word]) for word in words if word in titles_before]
        found = self._look_up([word for word in words if word not in titles_before])
        for word, in_title, in_description in [*taken, *found]:
            in_descriptions[word] = in_description
            in_titles[word] = in_title  # last, as another thread takes what is in here for known in both
            self._room -= _BESIDE_A_WORD + len(word) + len(in_title) + len(in_description)
        if self._room < 0:
            self._before, self._remembered, self._room = remembered, ({}, {}), _REMEMBERED_BYTES

    def _look_up(self, words: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield words with the columns of the terms within them in a title and in a description."""
        if not words:  # most of the time
            return
        terms: list[Term] = []
        ends = [0]
        for word in words:
            terms.append((word,))
            terms += character_terms(word, self._shortest, self._longest)
            ends.append(len(terms))
        hits, columns = self._find(_hashes(terms, len(terms)))
        first = 0
        for word, (start, end) in zip(words, pairwise(ends), strict=True):
            own = columns[first : first + np.count_nonzero(hits[start:end])]
            first += len(own)
            yield word, _as_bytes(own[:, : self._last]), _as_bytes(own[:, self._first :])

    def _find(self, hashes: Hashes) -> tuple[NDArray[np.bool_], Columns]:
        """Return where the hashes are (hashes x rows that they may stand in), and the columns of those that are."""
        # The shift keeps the sign, and a negative index counts from the end: right for hashes that begin with a one.
        rows = self._starts.take(hashes >> self._shift)[:, np.newaxis] + self._steps
        hits: NDArray[np.bool_] = self._hashes.take(rows) == hashes[:, np.newaxis]
        return hits, self._columns.take(rows[hits], axis=0)


# By word, the columns of the terms within it: in titles, and in descriptions. Bytes are joined faster than arrays are.
_Remembered = tuple[dict[str, bytes], dict[str, bytes]]


def _hashes(terms: Iterable[Term], count: int = -1) -> Hashes:
    return np.fromiter(map(hash, terms), np.int64, count)


def _as_bytes(columns: Columns) -> bytes:
    return columns[columns >= 0].tobytes()


def _tokens(title: str, description: str | None) -> tuple[list[str], list[str]]:
    in_title = words(normalise(title), intern=False)
    return in_title, words(normalise(description), intern=False) if description else []


def _shown(term: Term) -> str:
    return term.replace(" ", "·") if isinstance(term, str) else " ".join(term)


def _digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
