"""The work of one process: a shard is read, its listings are classified, and the answers are written as a part."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from scoring.answers import Answer, answer_columns, as_csv, as_parquet, header
from scoring.catalogue import Format
from scoring.journal import Entry, sha256
from scoring.shards import Shard

if TYPE_CHECKING:
    from catalog.predictor import Classification
    from scoring.rows import Row

AnsweredRow = tuple[str, str | None, str, int, float]
_TOGETHER = 512  # rows in memory at a time


class BentoError(RuntimeError):
    """The code of a Bento cannot answer a catalogue."""


@dataclass(frozen=True)
class Task:
    """What the processes of a run have in common.

    `model`: the model folder. `code`: the folder with the code in the Bento, which answers as it does in the service.
    `header`: each part of csv has one, since the parts are the output.
    """

    model: Path
    code: Path
    format: Format
    top: int
    keep: tuple[str, ...]
    header: bool

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the answers, and their types."""
        return answer_columns(self.top, self.keep)


@dataclass(frozen=True)
class Part:
    """The answers of a shard, its rejected rows as csv, and its entry in the journal."""

    answers: bytes
    rejected: bytes
    entry: Entry


class Scorer:
    """Answers shards with one model. Raises `ModelFolderError` for a damaged model, `BentoError` for an old one.

    A process has the domain's modules of one Bento at a time: those of the last task.
    """

    def __init__(self, task: Task) -> None:
        _use(task.code)
        from catalog.language import detect_language
        from catalog.predictor import Classification, Predictor
        from scoring.rows import read_rows

        if "novelty" not in Classification.__dataclass_fields__:
            raise BentoError("the Bento is of an earlier release, whose code cannot score catalogues: train a version")
        self._task = task
        self._predictor = Predictor(task.model)
        self._detect_language = detect_language
        self._read_rows = read_rows

    def answer_rows(self, shard: Shard) -> list[AnsweredRow]:
        """Return title, description, language, code and confidence of each row that can be used."""
        rows = [row for row in self._read_rows(shard) if row.fault is None]
        answers = self._answer(rows)
        return [
            (row.title, row.description or None, answer[6], answer[1], answer[3])
            for row, answer in zip(rows, answers, strict=True)
        ]

    def score(self, shard: Shard) -> Part:
        """Return the part of a shard. Raises `CatalogueError` for a file that cannot be read."""
        answers: list[Answer] = []
        rejected: list[tuple[str, int, str]] = []
        rows = self._read_rows(shard)
        while some := list(islice(rows, _TOGETHER)):
            rejected += [(shard.file.address, row.line, row.fault) for row in some if row.fault is not None]
            answers += self._answer([row for row in some if row.fault is None])
        types = Counter(str(answer[1]) for answer in answers)
        content, refused = self._written(answers), as_csv(rejected)
        entry = Entry(
            shard=shard.number, file=shard.file.address, start=shard.start, end=shard.end,
            model_version=self._predictor.manifest.model_version, rows=len(answers), rejected=len(rejected),
            abstained=sum(answer[4] for answer in answers), novel=sum(answer[5] for answer in answers),
            types=dict(sorted(types.items())), size=len(content),
            sha256=sha256(content), rejected_size=len(refused), rejected_sha256=sha256(refused),
        )  # fmt: skip
        return Part(content, refused, entry)

    def _answer(self, rows: Sequence["Row"]) -> Iterator[Answer]:
        found = self._predictor.predict_batch([(row.title, row.description) for row in rows], k=self._task.top)
        version, others = self._predictor.manifest.model_version, 3 * (self._task.top - 1)
        for row, one in zip(rows, found, strict=True):
            language = self._detect_language(f"{row.title} {row.description}")
            answer = row.id, one.code, one.label, one.confidence, one.abstained, one.novelty, language, version
            yield (*answer, *_others(one, others), *row.kept) if others or row.kept else answer

    def _written(self, answers: Sequence[Answer]) -> bytes:
        columns = self._task.columns
        if self._task.format == "parquet":
            return as_parquet(columns, answers)
        return (header(list(columns)) if self._task.header else b"") + as_csv(answers)


def _others(found: "Classification", count: int) -> list[object]:
    """Return so many values of the second type, the third, and so on; a taxonomy may have fewer types."""
    others: list[object] = [value for ranked in found.top_k[1:] for value in ranked]
    return others + [None] * (count - len(others))


def _use(code: Path) -> None:
    """Let the domain's modules be imported from a folder, also if a process has those of another Bento."""
    loaded = sys.modules.get("catalog")
    if loaded and Path(str(loaded.__file__)).resolve().parent == (code / "catalog").resolve():
        return
    sys.path.insert(0, str(code))
    for name in list(sys.modules):
        if name.partition(".")[0] == "catalog" or name == "scoring.rows":
            del sys.modules[name]
