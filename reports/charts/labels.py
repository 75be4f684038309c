"""Labels of a chart: how much room a text takes, and a text that is cut to its room."""

import unicodedata
from dataclasses import dataclass

FONT = 12  # height of a label, in units of the drawing
SMALL = 10  # of values and ticks


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place on it, and its label."""

    at: float
    label: str


def width_of(text: str, size: float = FONT) -> float:
    """Return how wide a text is at most in the usual sans-serif fonts. No font is known here, so it is an estimate."""
    return size * sum(_width(character) for character in text)


def shorten(text: str, width: float, size: float = FONT) -> str:
    """Return the text on one line, cut with an ellipsis where it is wider than `width`."""
    line = " ".join(text.split())
    if width_of(line, size) <= width:
        return line
    while line and width_of(f"{line}…", size) > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def amount(rows: int) -> str:
    """Return a number of rows in at most five characters: 950, 1.2k, 34k, 5.6M."""
    for limit, unit in ((1_000_000, "M"), (1_000, "k")):
        if rows >= limit:
            value = rows / limit
            return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
    return str(rows)


def _width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in "iljft.,:;'|!()[] ":
        return 0.42
    return 0.95 if character in "mwMW@%…" else 0.76 if character.isupper() else 0.64
