"""What is noted of a run: an entry for each shard that is done, and what came of all of them."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from scoring.shards import Shard


@dataclass(frozen=True)
class Entry:
    """What the journal holds of a shard: which rows it has, what came of them, and what identifies its part."""

    shard: int
    file: str
    start: int
    end: int
    model_version: str
    rows: int
    rejected: int
    abstained: int
    novel: int
    types: dict[str, int]
    size: int
    sha256: str
    rejected_size: int
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


@dataclass
class Totals:
    """What came of a run, or of the part of it that is done. `types`: answers by code."""

    shards: int = 0
    rows: int = 0
    rejected: int = 0
    abstained: int = 0
    novel: int = 0
    types: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        """Count a shard."""
        self.shards += 1
        self.rows += entry.rows
        self.rejected += entry.rejected
        self.abstained += entry.abstained
        self.novel += entry.novel
        self.types.update(entry.types)

    @property
    def rejected_share(self) -> float:
        """The share of all rows that could not be used."""
        return self.rejected / max(self.rows + self.rejected, 1)

    @property
    def abstained_share(self) -> float:
        """The share of the answers in which the model abstained."""
        return self.abstained / max(self.rows, 1)

    @property
    def novel_share(self) -> float:
        """The share of the answers about listings that look like nothing the model has learned from."""
        return self.novel / max(self.rows, 1)

    def as_record(self) -> dict[str, Any]:
        """Return the totals for JSON."""
        return {**asdict(self), "types": dict(sorted(self.types.items()))}

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Self:
        """Read totals back."""
        return cls(**{**record, "types": Counter(record["types"])})


def sha256(content: bytes) -> str:
    """Return what identifies a content."""
    return hashlib.sha256(content).hexdigest()
