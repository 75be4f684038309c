"""The reliability diagram: the share of right answers against the confidence, above the number of answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.labels import Tick

_LEFT, _TOP, _SIDE, _GAP, _COUNTS, _BOTTOM, _EDGE = 56.0, 30.0, 480.0, 34.0, 90.0, 40.0, 16.0


@dataclass(frozen=True)
class ReliabilityPoint:
    """The answers of one bin of confidence: their mean confidence, the share that is right and its interval."""

    lower: float
    upper: float
    rows: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Reliability:
    """The chart. `line` is the confidence from which on the model answers."""

    points: tuple[ReliabilityPoint, ...]
    line: Tick | None
    left: float = _LEFT
    top: float = _TOP
    side: float = _SIDE

    @property
    def width(self) -> float:
        """The width of the drawing."""
        return self.left + self.side + _EDGE

    @property
    def bottom(self) -> float:
        """The place of an accuracy of 0."""
        return self.top + self.side

    @property
    def counts_bottom(self) -> float:
        """The place at which the bars of the counts stand."""
        return self.bottom + _GAP + _COUNTS

    @property
    def height(self) -> float:
        """The height of the drawing."""
        return self.counts_bottom + _BOTTOM

    def x(self, confidence: float) -> float:
        """Return the place of a confidence."""
        return round(self.left + self.side * confidence, 1)

    def y(self, accuracy: float) -> float:
        """Return the place of a share of right answers."""
        return round(self.bottom - self.side * accuracy, 1)

    def count_height(self, point: ReliabilityPoint) -> float:
        """Return how high the bar of a count is."""
        most = max(other.rows for other in self.points)
        return round(max((_COUNTS - 14) * point.rows / most, 1.0), 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The ticks of both axes."""
        return tuple(Tick(fifth / 5, f"{fifth / 5:g}") for fifth in range(6))

    def line_anchor(self) -> str:
        """Return which end of the line's label stands at the line, so that the label stays within the drawing."""
        return "end" if self.line and self.line.at > 0.5 else "start"


def reliability(points: Sequence[ReliabilityPoint], line: Tick | None) -> Reliability:
    """Return the chart of these bins."""
    return Reliability(tuple(points), line)
