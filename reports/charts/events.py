"""What happened when: marks on lanes over one axis of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reports.charts.labels import SMALL, width_of

_LEFT, _PLOT, _TOP, _LANE, _BOTTOM, _EDGE = 120.0, 700.0, 10.0, 26.0, 30.0, 40.0
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_MOST_TICKS = 7
_SHORTEST = 10 * _MINUTE  # seconds that the axis covers at least
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """Something that happened. `lane` names where it stands, `tone` is a class of the stylesheet."""

    at: datetime
    lane: str
    tone: str
    hint: str


@dataclass(frozen=True)
class Events:
    """The chart: the lanes from the top (name and label), and the events on them, from `start` to `end`."""

    lanes: Mapping[str, str]
    events: tuple[Event, ...]
    start: datetime
    end: datetime
    left: float = _LEFT
    plot: float = _PLOT
    top: float = _TOP
    lane: float = _LANE

    @property
    def width(self) -> float:
        """The width of the drawing."""
        return self.left + self.plot + _EDGE

    @property
    def bottom(self) -> float:
        """The place of the axis."""
        return self.top + self.lane * len(self.lanes)

    @property
    def height(self) -> float:
        """The height of the drawing."""
        return self.bottom + _BOTTOM

    def x(self, at: datetime) -> float:
        """Return the place of a time."""
        return round(self.left + self.plot * ((at - self.start) / (self.end - self.start)), 1)

    def y(self, lane: str) -> float:
        """Return the middle of a lane."""
        return self.top + self.lane * (list(self.lanes).index(lane) + 0.5)

    def path(self, lanes: Sequence[str]) -> str:
        """Return the points of the line through the events on some lanes, for SVG: steps from one to the next."""
        points: list[str] = []
        before = None
        for event in self.events:
            if event.lane in lanes:
                here, height = self.x(event.at), self.y(event.lane)
                points += [f"{here},{before}"] if before is not None and before != height else []
                points.append(f"{here},{height}")
                before = height
        return " ".join(points)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """The places of the ticks and their labels; times are UTC."""
        seconds = (self.end - self.start).total_seconds()
        step = next((step for step in _STEPS if seconds / step <= _MOST_TICKS), _STEPS[-1] * 2)
        first = -((_MONDAY - self.start) // timedelta(seconds=step))
        found: list[tuple[float, str]] = []
        free_from = 0.0
        moment = _MONDAY + first * timedelta(seconds=step)
        day = None
        while moment <= self.end:
            new_day = moment.date() != day
            label = f"{moment:%d %b}" if step >= _DAY else f"{moment:%d %b %H:%M}" if new_day else f"{moment:%H:%M}"
            place, half = self.x(moment), width_of(label, SMALL) / 2
            if place - half >= free_from:
                found.append((place, label))
                free_from, day = place + half + 6, moment.date()
            moment += timedelta(seconds=step)
        return found


def events_over_time(lanes: Mapping[str, str], events: Sequence[Event]) -> Events | None:
    """Return the chart of events (any order) on lanes (label by name), or None without an event on one of them."""
    shown = tuple(sorted((event for event in events if event.lane in lanes), key=lambda event: event.at))
    if not shown:
        return None
    start, end = shown[0].at.astimezone(UTC), shown[-1].at.astimezone(UTC)
    end = max(end, start + timedelta(seconds=_SHORTEST))
    room = (end - start) * 0.015
    return Events(lanes, shown, start - room, end + room)
