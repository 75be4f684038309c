"""Measured values with their intervals, one below the other, beside what was expected of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.labels import SMALL, Tick, shorten, width_of

_LEFT, _PLOT, _GAP = 200.0, 420.0, 14.0
_TOP, _ROW, _BOTTOM = 12.0, 34.0, 36.0
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MOST_TICKS = 7


@dataclass(frozen=True)
class Measured:
    """A value with its interval (None: not known) and what was expected (None: nothing)."""

    label: str
    value: float
    text: str
    hint: str
    interval: tuple[float, float] | None = None
    expected: float | None = None


@dataclass(frozen=True)
class Intervals:
    """The chart, from `start` to `end`; `line` is drawn through all rows."""

    rows: tuple[Measured, ...]
    start: float
    end: float
    ticks: tuple[Tick, ...]
    axis: str
    line: float | None
    left: float = _LEFT
    plot: float = _PLOT
    top: float = _TOP

    @property
    def width(self) -> float:
        """The width of the drawing."""
        return self.right + max((width_of(row.text, SMALL) for row in self.rows), default=0.0) + 4

    @property
    def bottom(self) -> float:
        """The place of the axis."""
        return self.top + _ROW * len(self.rows)

    @property
    def height(self) -> float:
        """The height of the drawing."""
        return self.bottom + _BOTTOM

    @property
    def right(self) -> float:
        """The place at which the values begin."""
        return self.left + self.plot + _GAP

    def x(self, value: float) -> float:
        """Return the place of a value."""
        return round(self.left + self.plot * (value - self.start) / (self.end - self.start), 1)

    def y(self, place: int) -> float:
        """Return the middle of a row."""
        return round(self.top + _ROW * (place + 0.5), 1)

    def name(self, row: Measured) -> str:
        """Return the label of a row as far as there is room."""
        return shorten(row.label, self.left - _GAP)


def intervals(rows: Sequence[Measured], axis: str, line: float | None = None) -> Intervals:
    """Return the chart of these rows; its scale has room for all values, intervals, expectations and the line."""
    values = [value for row in rows for value in (row.value, *(row.interval or ()), row.expected) if value is not None]
    values += [] if line is None else [line]
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, 0.005)
    step = next((step for step in _STEPS if (high - low + 2 * room) / step <= _MOST_TICKS - 1), 1.0)
    first, last = math.floor((low - room) / step), math.ceil((high + room) / step)
    digits = max(0, -math.floor(math.log10(step)), len(f"{step:g}") - 2)
    ticks = tuple(Tick(place * step, f"{place * step:.{digits}f}") for place in range(first, last + 1))
    return Intervals(tuple(rows), first * step, last * step, ticks, axis, line)
