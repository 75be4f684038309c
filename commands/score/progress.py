"""How far a run is: rows, rate and time left."""

from time import monotonic
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from scoring.journal import Entry
from scoring.shards import Shard
from terminal.console import console

_EVERY = 30  # seconds between two lines where there is no terminal


class Progress:
    """A bar on a terminal; a line from time to time elsewhere."""

    def __init__(self, total: float) -> None:
        """`total`: the bytes of the catalogue."""
        self._total, self._done, self._rows = total, 0.0, 0
        self._skipped = 0.0
        self._sizes: dict[int, float] = {}
        self._started = self._said = monotonic()
        self._bar = Bar(
            BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn(),
            console=console(), disable=not console().is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def expect(self, shard: Shard) -> None:
        """Note a shard that is to be scored."""
        self._sizes[shard.number] = shard.bytes

    def skip(self, shard: Shard) -> None:
        """Count a shard that an earlier run has scored."""
        if not self._skipped:
            console().print("An earlier run has done a part of it, which is kept.")
        self._skipped += shard.bytes
        self._bar.update(self._task, completed=self._done + self._skipped)

    def advance(self, entry: Entry) -> None:
        """Count a shard that is done."""
        self._done += self._sizes.pop(entry.shard)
        self._rows += entry.rows + entry.rejected
        seconds = max(monotonic() - self._started, 0.001)
        said = f"{self._rows:,} rows, {self._rows / seconds:,.0f} a second"
        self._bar.update(self._task, completed=self._done + self._skipped, description=said)
        if self._bar.disable and monotonic() - self._said >= _EVERY:
            self._said = monotonic()
            left = seconds * max(self._total - self._skipped - self._done, 0) / self._done
            console().print(f"{said}, about {left:,.0f} s left")
