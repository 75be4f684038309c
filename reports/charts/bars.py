"""Bars, one below the other: labels on the left, bars with a line across them, values on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.labels import SMALL, Tick, shorten, width_of

_LEFT, _PLOT, _GAP = 200.0, 470.0, 12.0
_TOP, _ROW, _BOTTOM = 30.0, 21.0, 34.0


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to `value`. `interval` is drawn over it, `text` stands on the right, `hint` is a tooltip.

    `tone` is a class of the stylesheet: plain, or the word of a verdict.
    """

    label: str
    value: float
    text: str
    hint: str
    tone: str = "plain"
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bars:
    """The chart. Values run from 0 to `end`; what is above it is cut there."""

    bars: tuple[Bar, ...]
    end: float
    ticks: tuple[Tick, ...]
    axis: str
    line: Tick | None
    left: float = _LEFT
    plot: float = _PLOT
    top: float = _TOP
    row: float = _ROW

    @property
    def width(self) -> float:
        """The width of the drawing."""
        texts = max((width_of(bar.text, SMALL) for bar in self.bars), default=0.0)
        return self.left + self.plot + _GAP + texts + 4

    @property
    def bottom(self) -> float:
        """The place of the axis."""
        return self.top + self.row * len(self.bars)

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
        return round(self.left + self.plot * min(max(value, 0.0), self.end) / self.end, 1)

    def y(self, place: int) -> float:
        """Return the middle of a row."""
        return round(self.top + self.row * (place + 0.5), 1)

    def name(self, bar: Bar) -> str:
        """Return the label of a bar as far as there is room."""
        return shorten(bar.label, self.left - _GAP)

    def line_anchor(self) -> str:
        """Return which end of the line's label stands at the line, so that the label stays within the drawing."""
        return "end" if self.line and self.line.at > self.end / 2 else "start"


def score_bars(bars: Sequence[Bar], axis: str, line: Tick | None) -> Bars:
    """Return bars of scores between 0 and 1."""
    ticks = tuple(Tick(quarter / 4, f"{quarter / 4:g}") for quarter in range(5))
    return Bars(tuple(bars), 1.0, ticks, axis, line)


def ratio_bars(bars: Sequence[Bar], axis: str, line: Tick, most: float) -> Bars:
    """Return bars of ratios, up to the largest one, but at least to 1 and at most to `most`."""
    end = min(most, max([1.0, *(bar.value for bar in bars)]) * 1.08)
    step = 0.5 if end <= 3 else 1.0
    ticks = tuple(Tick(place * step, f"{place * step:g}") for place in range(int(end / step) + 1))
    return Bars(tuple(bars), end, ticks, axis, line)
