"""Draws the Mermaid flowcharts of the pages as SVG: Mermaid itself would be loaded from elsewhere."""

import re
from html import escape
from itertools import pairwise

_CHART = re.compile(r"```mermaid\nflowchart TD\n(.*?)```", re.DOTALL)
_ARROW = re.compile(r"^ *(\w+)(?:\[(.+?)\])? (-->|-\. .+ \.->) (\w+)$", re.MULTILINE)
_WIDTH, _HEIGHT, _GAP, _DOWN = 104, 34, 26, 84  # of a box, beside it, and from row to row
_SWEEPS = 12

Arrow = tuple[str, str]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page with drawings in the place of flowcharts."""
    return _CHART.sub(lambda chart: draw(chart[1]), markdown)


def draw(chart: str) -> str:
    """Return the SVG of a chart whose arrows lead from top to bottom, without a circle."""
    found = _ARROW.findall(chart)
    labels = {name: label for name, label, _, _ in found if label}
    ways, rows = _layout([(above, below) for above, _, _, below in found])
    places = {name: (x, y * _DOWN + _HEIGHT / 2) for y, row in enumerate(rows) for name, x in _spread(row).items()}
    names = {name for way in ways for name in (way[0], way[-1])}
    dashed = [kind != "-->" for _, _, kind, _ in found]
    lines = [_line([places[name] for name in way], dashes) for way, dashes in zip(ways, dashed, strict=True)]
    boxes = [_box(*places[name], labels.get(name, name)) for name in names]
    left, right = (extreme(x for x, _ in places.values()) for extreme in (min, max))
    left, width = left - _WIDTH / 2 - 2, right - left + _WIDTH + 4
    told = "; ".join(f"{above} to {below}" for above, _, _, below in found)
    return (
        f'<svg class="drawing" style="max-width: {width:.0f}px" role="img" aria-label="{escape(told)}" '
        f'viewBox="{left:.0f} -2 {width:.0f} {(len(rows) - 1) * _DOWN + _HEIGHT + 4}">{"".join(lines + boxes)}</svg>\n'
    )


def _layout(arrows: list[Arrow]) -> tuple[list[list[str]], list[list[str]]]:
    """Return each arrow's way from row to row, and the rows, each in an order with few crossings (Sugiyama, 1981).

    A row holds the names whose longest way from the top has its length, and a point, which is seen as part of a line
    alone, for each arrow that passes.
    """
    depth = {name: 0 for arrow in arrows for name in arrow}
    for _ in depth:
        for above, below in arrows:
            depth[below] = max(depth[below], depth[above] + 1)
    ways = [
        [above, *(f"{above} {below} {row}" for row in range(depth[above] + 1, depth[below])), below]
        for above, below in arrows
    ]
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for way in ways:
        for row, name in enumerate(way, start=depth[way[0]]):
            if name not in rows[row]:
                rows[row].append(name)
    steps = [pair for way in ways for pair in pairwise(way)]
    for _ in range(_SWEEPS):
        for names in rows:
            place = {name: x for each in rows for name, x in _spread(each).items()}
            near = {name: [place[b if a == name else a] for a, b in steps if name in (a, b)] for name in names}
            names.sort(key={name: sum(xs) / len(xs) for name, xs in near.items()}.__getitem__)
    return ways, rows


def _spread(row: list[str]) -> dict[str, float]:
    """Return where the middle of each name is; a point, which has spaces in its name, takes less room."""
    widths = [(_GAP if " " in name else _WIDTH) + _GAP for name in row]
    starts = [sum(widths[:place]) - sum(widths) / 2 for place in range(len(row))]
    return {name: start + width / 2 for name, start, width in zip(row, starts, widths, strict=True)}


def _box(x: float, y: float, label: str) -> str:
    return (
        f'<rect x="{x - _WIDTH / 2:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}">{escape(label)}</text>'
    )


def _line(points: list[tuple[float, float]], dashed: bool) -> str:
    """Return a curve from below the first point to above the last one, with a head."""
    x, y = points[0][0], points[0][1] + _HEIGHT / 2
    path = f"M{x:.0f} {y:.0f}"
    for place, (end_x, end_y) in enumerate(points[1:], start=1):
        end_y -= _HEIGHT / 2 if place == len(points) - 1 else 0
        half = (end_y - y) / 2
        path += f"C{x:.0f} {y + half:.0f} {end_x:.0f} {end_y - half:.0f} {end_x:.0f} {end_y:.0f}"
        x, y = end_x, end_y
    kind = ' class="dashed"' if dashed else ""
    return f'<path{kind} d="{path}M{x - 4:.0f} {y - 8:.0f}L{x:.0f} {y:.0f}L{x + 4:.0f} {y - 8:.0f}"/>'
