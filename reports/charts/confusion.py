"""The confusion matrix as a heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from reports.charts.labels import FONT, shorten

_LEFT, _TOP, _CELL, _LABEL, _EDGE = 216.0, 150.0, 22.0, 180.0, 8.0
_SHOWN_FROM = 0.05  # share from which on a cell has its number
_DARK_FROM = 0.85  # strength of a colour from which on the number is light


@dataclass(frozen=True)
class Cell:
    """A pair of a true and a predicted type (places in the labels), its rows and their share of the true type."""

    true: int
    predicted: int
    rows: int
    share: float


@dataclass(frozen=True)
class ConfusionMatrix:
    """The chart: the true types below each other, the predicted ones beside each other."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    left: float = _LEFT
    top: float = _TOP
    cell: float = _CELL

    @property
    def side(self) -> float:
        """The side of the matrix."""
        return self.cell * len(self.labels)

    @property
    def width(self) -> float:
        """The width of the drawing: the labels of the columns lean to the right."""
        return self.left + self.side + self.top - 2 * _EDGE

    @property
    def height(self) -> float:
        """The height of the drawing."""
        return self.top + self.side + _EDGE

    @cached_property
    def most_wrong(self) -> float:
        """The largest share of a wrong pair."""
        return max((cell.share for cell in self.cells if cell.true != cell.predicted), default=1.0)

    def at(self, place: int, start: float) -> float:
        """Return where the row or column of a type begins."""
        return start + self.cell * place

    def middle(self, place: int, start: float) -> float:
        """Return the middle of the row or column of a type."""
        return start + self.cell * (place + 0.5)

    def strength(self, cell: Cell) -> float:
        """Return how strong the colour of a cell is, 0 to 1. Wrong pairs have a scale of their own: they are few."""
        return round(cell.share if cell.true == cell.predicted else max(cell.share / self.most_wrong, 0.06), 2)

    def number(self, cell: Cell) -> str:
        """Return the number in a cell, in percent; a cell with a small share has none."""
        return f"{100 * cell.share:.0f}" if cell.share >= _SHOWN_FROM else ""

    def is_strong(self, cell: Cell) -> bool:
        """Tell whether the colour of a cell is so strong that its number has the colour of the page."""
        return self.strength(cell) >= _DARK_FROM

    def row_label(self, place: int) -> str:
        """Return the label of a row as far as there is room."""
        return shorten(self.labels[place], self.left - 2 * _EDGE, FONT)

    def column_label(self, place: int) -> str:
        """Return the label of a column as far as there is room: it stands at 45 degrees."""
        return shorten(self.labels[place], _LABEL, FONT)


def confusion_matrix(labels: Sequence[str], cells: Sequence[Cell]) -> ConfusionMatrix:
    """Return the chart of the pairs that occur; all others stay empty."""
    return ConfusionMatrix(tuple(labels), tuple(cell for cell in cells if cell.rows))
