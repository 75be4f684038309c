"""A run over a catalogue: what it is, what is done already, and how its parts become the output."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from scoring.answers import REJECTED, header, parquet_schema
from scoring.catalogue import CatalogueFile
from scoring.journal import Entry, Totals, sha256
from scoring.lease import LOCK
from scoring.place import Place
from scoring.scorer import Part, Task

_RUN, _JOURNAL = "_run.json", "_journal"
PARTS = ".parts"  # behind the name of an output file: the folder of its parts while the run goes on
_AT_ONCE = 1_000  # entries in memory


class JobError(RuntimeError):
    """A run cannot begin or go on. The message says what to do."""


class Job:
    """The output of a run: `out` is a file, made of its parts in the end, or a folder that keeps them.

    Beside it are in the end `OUT.rejected.csv` and `OUT.run.json`, which says what the run was.
    """

    def __init__(self, out: str, task: Task) -> None:
        self.out = out.rstrip("/")
        self.is_file = self.out.endswith((".csv", ".parquet"))
        self._task = task
        self.place = Place(self.out + PARTS if self.is_file else self.out)
        above, _, self._name = self.out.rpartition("/")
        self._beside = Place(above if "://" in above else str(Path(self.out).absolute().parent))
        self._given: dict[str, Any] = {}

    def begin(self, files: Sequence[CatalogueFile], model: str, rows: int) -> Totals | None:
        """Note what the run is, or check that it is the one that was begun here.

        Return what came of it if it has ended already and its output is one file. Raises `JobError`.
        """
        given = {
            "input": [[file.address, file.size, file.digest] for file in files],
            "model": model,
            "columns": [asdict(file.columns) for file in files],
            "answers": list(self._task.columns),
            "format": self._task.format,
            "rows of a shard": rows,
        }
        self._given = json.loads(json.dumps(given))
        known = self.place.read(_RUN)
        size = self._beside.sizes().get(self._name) if self.is_file else None
        if size is not None and (totals := self._ended(size)):
            self.place.remove()
            return totals
        if known is not None:
            self._require_same(known)
        elif there := self.place.sizes().keys() - {LOCK, f".{LOCK}"}:
            raise JobError(f"{self.place.address} is not empty, it has {min(there)}: name another output, or empty it")
        elif size is not None:
            self.place.remove()
            raise JobError(f"{self.out} exists already: name another output, or remove it")
        self.place.make(_JOURNAL)
        self.place.clear("", _JOURNAL)
        if known is None:
            self.place.write(_RUN, json.dumps(self._given, indent=1).encode() + b"\n")
        return None

    def _ended(self, size: int) -> Totals | None:
        """Return what came of this very run, if the output is its whole output."""
        try:
            record = json.loads(self._beside.read(f"{self._name}.run.json") or b"{}")
            same = record["run"] == self._given and record["size"] == size
            return Totals.of_record(record["outcome"]) if same else None
        except (ValueError, LookupError, TypeError):
            return None

    def _require_same(self, known: bytes) -> None:
        try:
            earlier = json.loads(known)
        except ValueError:
            earlier = {}
        for what, value in self._given.items():
            if earlier.get(what) != value:
                raise JobError(
                    f"{self.place.address} holds the journal of a run with another {what}: name another output, or "
                    f"remove {self.place.address} to begin anew"
                )

    def entries(self) -> Callable[[int], Entry | None]:
        """Return a function: the entry of a shard that is done, by its number. It is asked in the order of shards."""
        noted = self.place.sizes(_JOURNAL)
        parts = self.place.sizes() | {f"{_JOURNAL}/{name}": size for name, size in noted.items()}
        known: dict[int, Entry] = {}
        until = 0

        def entry_of(number: int) -> Entry | None:
            nonlocal until
            if number >= until:
                until = number + _AT_ONCE
                names = [name for at in range(number, until) if (name := f"{at:08}.json") in noted]
                found = self.place.read_all([f"{_JOURNAL}/{name}" for name in names])
                read = filter(None, map(Entry.of_json, found.values()))
                known.clear()
                known.update((entry.shard, entry) for entry in read)
            entry = known.get(number)
            return entry if entry and self._is_whole(entry, parts) else None

        return entry_of

    def _is_whole(self, entry: Entry, sizes: dict[str, int]) -> bool:
        """Return whether the parts of a shard are there. An object store writes all or nothing: sizes tell."""
        wanted = [(self._answers(entry.shard), entry.size, entry.sha256)]
        if entry.rejected:
            wanted.append((self._rejected(entry.shard), entry.rejected_size, entry.rejected_sha256))
        if any(sizes.get(name) != size for name, size, _ in wanted):
            return False
        if not self.place.is_local:
            return True
        return all(sha256(self.place.read(name) or b"") == digest for name, _, digest in wanted)

    def store(self, part: Part) -> None:
        """Write a part, and then its entry in the journal. Doing so twice changes nothing."""
        number = part.entry.shard
        self.place.write(self._answers(number), part.answers)
        if part.rejected:
            self.place.write(self._rejected(number), part.rejected)
        self.place.write(f"{_JOURNAL}/{number:08}.json", part.entry.as_json())

    def finish(self, totals: Totals) -> None:
        """Make the output of its parts: one file, or the folder with the parts in it; list what was rejected.

        Raises `JobError` when a part is not there as it was written.
        """
        entry_of = self.entries()
        for number in range(totals.shards):
            if entry_of(number) is None:
                raise JobError(
                    f"{self.place.address}/{self._answers(number)} is not as it was written: run the same command "
                    "again, it does this part anew"
                )
        if self.is_file:
            with self._beside.writing(self._name) as file:
                self._join(file, totals.shards)
        refused = {name.partition(".")[0] for name in self.place.sizes(_JOURNAL) if name.endswith(".rejected.csv")}
        with self._beside.writing(f"{self._name}.rejected.csv") as file:
            file.write(header(REJECTED))
            for number in sorted(map(int, refused)):
                file.write(self.place.read(self._rejected(number)) or b"")
        size = self._beside.sizes()[self._name] if self.is_file else None
        record = {"run": self._given, "outcome": totals.as_record(), "size": size}
        self._beside.write(f"{self._name}.run.json", json.dumps(record, indent=1).encode() + b"\n")
        if self.is_file:
            self.place.remove()

    def _join(self, file: IO[bytes], shards: int) -> None:
        parts = (self.place.read(self._answers(number)) or b"" for number in range(shards))
        columns = self._task.columns
        if self._task.format == "csv":
            file.write(header(list(columns)))
            for content in parts:
                file.write(content)
        else:
            _join_parquet(file, columns, parts)

    def _answers(self, number: int) -> str:
        return f"part-{number:08}.{self._task.format}"

    def _rejected(self, number: int) -> str:
        return f"{_JOURNAL}/{number:08}.rejected.csv"


def _join_parquet(file: IO[bytes], columns: dict[str, str], parts: Iterator[bytes]) -> None:
    """Write the rows of Parquet files as one, each as a row group."""
    from pyarrow import parquet

    with parquet.ParquetWriter(file, parquet_schema(columns), compression="zstd") as writer:
        for content in parts:
            table = parquet.read_table(io.BytesIO(content))
            if table.num_rows:
                writer.write_table(table)
