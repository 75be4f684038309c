"""The work of one process: a shard is read, its listings are classified, and the answers are written as a part."""

import csv
import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scoring.shards import Format, Shard

if TYPE_CHECKING:
    from catalog.predictor import Predictor
    from scoring.rows import Row

ANSWER = ("id", "code", "label", "confidence", "abstained", "language", "model_version")
_ANSWER_TYPES = ("string", "int64", "string", "float64", "bool_", "string", "string")
REJECTED = ("file", "line", "reason")


@dataclass(frozen=True)
class Task:
    """What the processes of a run have in common. `code`: the folder with the code in the Bento, which answers."""

    model: Path
    code: Path | None
    format: Format
    top: int
    keep: tuple[str, ...]
    header: bool  # each part of csv has one: the parts are the output

    @property
    def columns(self) -> list[str]:
        """The columns of the answers."""
        others = [f"{name}_{rank}" for rank in range(2, self.top + 1) for name in ("code", "label", "confidence")]
        return [*ANSWER, *others, *self.keep]

    @property
    def types(self) -> list[str]:
        """The types of the columns, as Parquet has them."""
        others = ["int64", "string", "float64"] * (self.top - 1)
        return [
            *("string", "int64", "string", "float64", "bool_", "string", "string"),
            *others,
            *("string" for _ in self.keep),
        ]


@dataclass(frozen=True)
class Entry:
    """What the journal holds of a shard: which rows it has, what came of them, and what identifies its part."""

    shard: int
    file: str
    start: int
    end: int
    rows: int
    rejected: int
    abstained: int
    types: dict[str, int]
    sha256: str
    rejected_sha256: str

    def as_json(self) -> bytes:
        """Return the entry as it is stored."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"

    @classmethod
    def of_json(cls, content: bytes | None) -> Self | None:
        """Read a stored entry; None where there is none, or one that is not whole."""
        try:
            return cls(**json.loads(content)) if content else None
        except (ValueError, TypeError):
            return None

    def is_of(self, shard: Shard) -> bool:
        """Return whether this is the entry of a shard."""
        return (self.shard, self.file, self.start, self.end) == (
            shard.number, shard.file.address, shard.start, shard.end,
        )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """The answers of a shard, its rejected rows as csv, and its entry in the journal."""

    answers: bytes
    rejected: bytes
    entry: Entry


class Scorer:
    """Answers shards with one model. Raises `ModelFolderError` for a damaged model."""

    def __init__(self, task: Task) -> None:
        if task.code:
            sys.path.insert(0, str(task.code))  # the code in the Bento answers, as it does in the service
        from catalog.predictor import Predictor

        self._task = task
        self._predictor = Predictor(task.model)

    def score(self, shard: Shard, progressed: Callable[[int], None] | None = None) -> Part:
        """Return the part of a shard. `progressed` is told of listings that were classified."""
        from scoring.rows import read_rows

        answers: list[tuple[Any, ...]] = []
        rejected: list[tuple[str, int, str]] = []
        types: Counter[str] = Counter()
        abstained = 0
        for row in read_rows(shard):
            if row.fault is not None:
                rejected.append((shard.file.address, row.line, row.fault))
                continue
            answer = self._answer(self._predictor, row)
            types[str(answer[1])] += 1
            abstained += answer[4]
            answers.append(answer)
        content, refused = self._written(answers), _as_csv(rejected)
        entry = Entry(
            shard=shard.number, file=shard.file.address, start=shard.start, end=shard.end, rows=len(answers),
            rejected=len(rejected), abstained=abstained, types=dict(sorted(types.items())), sha256=_sha256(content),
            rejected_sha256=_sha256(refused),
        )  # fmt: skip
        return Part(content, refused, entry)

    def _answer(self, predictor: "Predictor", row: "Row") -> tuple[Any, ...]:
        from catalog.language import detect_language

        found = predictor.predict_top_k(row.title, row.description, k=self._task.top)
        language = detect_language(f"{row.title} {row.description}")
        others: list[Any] = [value for ranked in found.top_k[1:] for value in ranked]
        others += [None] * (3 * (self._task.top - len(found.top_k)))  # a taxonomy may have fewer types
        return (
            row.id, found.code, found.label, found.confidence, found.abstained, language,
            predictor.manifest.model_version, *others, *row.kept,
        )  # fmt: skip

    def _written(self, answers: Sequence[tuple[Any, ...]]) -> bytes:
        if self._task.format == "parquet":
            return _as_parquet(self._task, answers)
        return (header(self._task.columns) if self._task.header else b"") + _as_csv(answers)


def _as_csv(rows: Sequence[tuple[Any, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(_plain(rows))
    return text.getvalue().encode("utf-8", "replace")


def header(columns: Sequence[str]) -> bytes:
    """Return the first line of a csv file."""
    return _as_csv([tuple(columns)])


def _plain(rows: Sequence[tuple[Any, ...]]) -> Iterator[list[Any]]:
    for row in rows:
        yield [str(value).lower() if isinstance(value, bool) else value for value in row]


def _as_parquet(task: Task, rows: Sequence[tuple[Any, ...]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    types = [getattr(pa, name)() for name in task.types]
    arrays = [pa.array([row[place] for row in rows], type=kind) for place, kind in enumerate(types)]
    sink = io.BytesIO()
    parquet.write_table(pa.table(arrays, names=task.columns), sink, compression="zstd")
    return sink.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
