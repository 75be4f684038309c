"""The page of the monitor service. It is made of plain values, since that service loads no library for data."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.charts.events import Event, Events, events_over_time
from reports.rendering import minute, render, words

_VERDICTS = {
    "failed": "run failed",
    "drift": "drift",
    "warning": "warning",
    "ok": "ok",
    "insufficient_data": "too little data",
}
_ACTIONS = {"alert": "alert", "retraining": "retraining", "promotion": "promotion", "rollback": "rollback"}
_TONES = {"promotion": "promoted", "rollback": "warning", "alert": "drift"}  # of kinds whose outcome is not what counts
_EVENTS_LISTED = 12


def service_page(overview: Mapping[str, Any]) -> str:
    """Return the page, which a browser loads again every 30 seconds, unless the person who looks at it says no.

    `overview` has the fields of `monitoring.overview.Overview`, as plain values. Raises `jinja2.UndefinedError` when
    one is missing.
    """
    events = overview["events"]
    return render(
        "service_page.html.j2",
        **{name: value for name, value in overview.items() if name != "events"},
        chart=_chart(events),
        verdicts=list(_VERDICTS),
        listed=_changes(events)[:_EVENTS_LISTED],
    )


def _changes(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the events, newest first, without the reports that have the verdict of the report before."""
    changes: list[Mapping[str, Any]] = []
    verdict = None
    for event in reversed(events):
        if event["kind"] != "report" or event["outcome"] != verdict:
            changes.insert(0, event)
        if event["kind"] == "report":
            verdict = event["outcome"]
    return changes


def _chart(events: Sequence[Mapping[str, Any]]) -> Events | None:
    """Return the verdicts and what was done over one axis of time; a lane of actions without an event is left out."""
    kinds = {event["kind"] for event in events}
    lanes = (_VERDICTS if "report" in kinds else {}) | {
        kind: label for kind, label in _ACTIONS.items() if kind in kinds
    }
    shown = [
        Event(
            at=event["at"],
            lane=event["outcome"] if event["kind"] == "report" else event["kind"],
            tone=_TONES.get(event["kind"], event["outcome"]),
            hint=f"{minute(event['at'])} UTC, {words(event['outcome'])}: {event['text']}",
        )
        for event in events
    ]
    return events_over_time(lanes, shown)
