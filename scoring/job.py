"""A run over a catalogue: what it is, what is done already, and how its parts become the output."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from scoring.place import Place, replacing
from scoring.scorer import REJECTED, Entry, Part, Task, header
from scoring.shards import CatalogueFile, is_local

_RUN, _JOURNAL = "run.json", "journal"
PARTS = ".parts"  # behind the name of an output file: the folder of its parts while the run goes on


class JobError(RuntimeError):
    """A run cannot begin or go on. The message says what to do."""


@dataclass
class Totals:
    """What came of a run, or of the part of it that is done."""

    shards: int = 0
    rows: int = 0
    rejected: int = 0
    abstained: int = 0
    types: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Count a shard."""
        self.shards += 1
        self.rows += entry.rows
        self.rejected += entry.rejected
        self.abstained += entry.abstained
        self.types.update(entry.types)

    @property
    def rejected_share(self) -> float:
        """The share of all rows that could not be used."""
        return self.rejected / max(self.rows + self.rejected, 1)


class Job:
    """The output of a run: `out` is a file, made of its parts in the end, or a folder that keeps them."""

    def __init__(self, out: str, task: Task) -> None:
        self.out = out.rstrip("/")
        self.is_file = self.out.endswith((".csv", ".parquet"))
        self._task = task
        self.place = Place(self.out + PARTS if self.is_file else self.out)

    @property
    def rejected_address(self) -> str:
        """Where the rows that could not be used are listed."""
        return f"{self.out}.rejected.csv"

    def begin(self, files: Sequence[CatalogueFile], model: str, rows: int) -> None:
        """Note what the run is, or check that it is the one that was begun here. Raises `JobError`."""
        given = {
            "input": [[file.address, file.size, file.digest] for file in files],
            "columns": [asdict(file.columns) for file in files],
            "model": model,
            "answers": self._task.columns,
            "rows of a shard": rows,
        }
        known = self.place.read(_RUN)
        if known is None:
            if self.is_file and is_local(self.out) and Path(self.out).exists():
                raise JobError(f"{self.out} exists already: name another output, or remove it")
            if not self.is_file and self.place.names() - {".lock", "lock"}:
                raise JobError(f"{self.out} is not empty: name another folder, or remove what is in it")
            self.place.write(_RUN, json.dumps(given, indent=1).encode() + b"\n")
            return
        try:
            earlier = json.loads(known)
        except ValueError:
            earlier = {}
        for what, value in json.loads(json.dumps(given)).items():
            if earlier.get(what) != value:
                raise JobError(
                    f"{self.place.address} holds the journal of a run with another {what}: name another output, or "
                    f"remove {self.place.address} to begin anew"
                )

    def entries(self) -> dict[int, Entry]:
        """Return what is done: the entries of the journal whose parts are whole, by the number of the shard."""
        found: dict[int, Entry] = {}
        for name in self.place.names(_JOURNAL):
            entry = Entry.of_json(self.place.read(f"{_JOURNAL}/{name}")) if name.endswith(".json") else None
            if entry is None:
                continue
            parts = (self._answers(entry.shard), entry.sha256), (self._rejected(entry.shard), entry.rejected_sha256)
            if all(hashlib.sha256(self.place.read(part) or b"").hexdigest() == digest for part, digest in parts):
                found[entry.shard] = entry
        return found

    def store(self, part: Part) -> None:
        """Write a part, and then its entry in the journal. Doing so twice changes nothing."""
        number = part.entry.shard
        self.place.write(self._answers(number), part.answers)
        if part.rejected:
            self.place.write(self._rejected(number), part.rejected)
        self.place.write(f"{_JOURNAL}/{number:08}.json", part.entry.as_json())

    def finish(self, shards: int) -> None:
        """Make the output of its parts: one file, or the folder with the parts in it; and list what was rejected."""
        if self.is_file:
            with replacing(Path(self.out)) as file:
                self._join(file, shards)
        if is_local(self.out):
            with replacing(Path(self.rejected_address)) as file:
                file.write(header(REJECTED))
                for content in self._contents(self._rejected, shards):
                    file.write(content)
        else:
            target = Place(self.out.rpartition("/")[0])
            content = header(REJECTED) + b"".join(self._contents(self._rejected, shards))
            target.write(self.rejected_address.rpartition("/")[2], content)
        if self.is_file:
            self.place.remove()

    def _join(self, file: IO[bytes], shards: int) -> None:
        if self._task.format == "csv":
            file.write(header(self._task.columns))
            for content in self._contents(self._answers, shards):
                file.write(content)
            return
        from pyarrow import parquet

        writer = None
        for content in self._contents(self._answers, shards):
            table = parquet.read_table(io.BytesIO(content))
            writer = writer or parquet.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
        if writer:
            writer.close()

    def _contents(self, name_of: Callable[[int], str], shards: int) -> Iterator[bytes]:
        for number in range(shards):
            yield self.place.read(name_of(number)) or b""

    def _answers(self, number: int) -> str:
        return f"part-{number:08}.{self._task.format}"

    def _rejected(self, number: int) -> str:
        return f"{_JOURNAL}/{number:08}.rejected.csv"
