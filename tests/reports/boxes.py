"""Reads the texts of a chart with the boxes that they fill, and the lines."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from reports.charts.labels import FONT, width_of

_NAMESPACE = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    """A text (or a line, without a text) and the room that it takes."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def charts_of(page: str) -> list[ElementTree.Element]:
    """The charts in a page, or the one that a file of SVG is."""
    found = [ElementTree.fromstring(chart) for chart in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    for chart in found:
        for element in chart.iter():
            element.tag = element.tag.removeprefix(_NAMESPACE)
    return found


def texts_of(chart: ElementTree.Element) -> list[Box]:
    """The upright texts of a chart."""
    boxes = []
    for element in chart.iter("text"):
        if element.get("transform"):
            continue
        text, size = (element.text or "").strip(), float(element.get("font-size", FONT))
        width, x, y = width_of(text, size), float(element.get("x", 0)), float(element.get("y", 0))
        left = {"end": x - width, "middle": x - width / 2}.get(element.get("text-anchor", ""), x)
        boxes.append(Box(text, left, y - 0.8 * size, left + width, y + 0.2 * size))
    return boxes


def marks_of(chart: ElementTree.Element) -> list[Box]:
    """The lines that mark a value."""
    return [
        Box("", *(float(line.get(name, 0)) for name in ("x1", "y1", "x2", "y2")))
        for line in chart.iter("line")
        if line.get("class") == "mark"
    ]


def assert_nothing_collides(chart: ElementTree.Element) -> None:
    """Fail if two texts of a chart overlap, if a line runs through a text, or if a text leaves the drawing."""
    _, _, width, height = map(float, chart.get("viewBox", "").split())
    texts = texts_of(chart)
    assert texts
    for place, box in enumerate(texts):
        assert min(box.left, box.top) >= 0, box
        assert (box.right <= width, box.bottom <= height) == (True, True), box
        assert not [other for other in [*texts[place + 1 :], *marks_of(chart)] if box.overlaps(other)], box
