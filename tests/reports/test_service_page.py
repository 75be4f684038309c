"""The page of the monitor service."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest

from reports.service_page import service_page
from tests.reports.boxes import assert_nothing_collides, charts_of
from tests.reports.reading import Page

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
EMPTY: dict[str, Any] = {
    "read_at": START, "latest": None, "events": [], "retrainings": [], "alerts": [], "failed_runs": [], "reports": [],
    "description": "It monitors <every> 15 minutes.",
}  # fmt: skip
LATEST = {
    "verdict": "drift", "model_name": "rakuten<i>", "model_version": "3", "reasons": ["user <script>eve disagrees"],
    "rows": 1_500, "agreement": (0.81, 0.7, 0.89),
}  # fmt: skip


def event(minutes: int, kind: str, outcome: str, text: str = "why", link: str | None = None) -> dict[str, Any]:
    at = START + timedelta(minutes=minutes)
    return {"at": at, "kind": kind, "outcome": outcome, "text": text, "link": link}


LOOP = [
    event(65, "report", "ok", link="/reports/new.html"),
    event(61, "promotion", "done", "Version 4 is in production (before: version 3): it is better"),
    event(61, "retraining", "promoted"),
    event(50, "retraining", "started"),
    event(50, "alert", "started", "Alert <b>Drift"),
    event(45, "report", "drift"),
    event(30, "report", "drift"),
    event(15, "report", "ok"),
    event(0, "report", "insufficient_data"),
]


def test_the_page_shows_the_latest_verdict() -> None:
    content = service_page(EMPTY | {"latest": LATEST})
    page = Page(content)
    page.assert_it_loads_nothing()
    assert not {"i", "script", "every"} & page.tags
    assert page.text.startswith("Monitoring drift This is what the latest report says about rakuten<i>. ")
    assert "In production version 3 " in page.text
    assert "Looked at 1,500 predictions Right answers 81.0% 70.0% to 89.0%, by reviews" in page.text
    assert "user <script>eve disagrees" in page.text
    assert '<p class="verdict drift">' in content
    assert page.links == ["reports/latest", ".", "history", "decisions", "verdicts", "timeline"]


def test_what_was_not_measured_is_no_zero() -> None:
    page = Page(service_page(EMPTY | {"latest": LATEST | {"rows": None, "agreement": None}}))
    assert "Looked at – predictions Right answers – not measured" in page.text


def test_verdicts_and_actions_are_on_one_time_line() -> None:
    content = service_page(EMPTY | {"events": LOOP})
    page = Page(content)
    page.assert_it_loads_nothing()
    assert not {"b"} & page.tags
    (chart,) = charts_of(content)
    assert_nothing_collides(chart)
    labels = [text.text for text in chart.iter("text") if text.get("text-anchor") == "end"]
    assert labels == ["run failed", "drift", "warning", "ok", "too little data", "alert", "retraining", "promotion"]
    places = {dot.findtext("title"): (dot.get("cx"), dot.get("cy")) for dot in chart.iter("circle")}
    assert len(list(chart.iter("circle"))) == len(LOOP)
    alert = places["2026-03-04 12:50 UTC, started: Alert <b>Drift"]
    assert alert[0] == places["2026-03-04 12:50 UTC, started: why"][0]
    assert {"04 Mar 12:00", "13:00"} <= set(page.chart_texts)


def test_a_line_joins_the_verdicts_and_leaves_out_what_was_done() -> None:
    (chart,) = charts_of(service_page(EMPTY | {"events": LOOP}))
    line = next(chart.iter("polyline")).get("points", "").split()
    dots = [f"{dot.get('cx')},{dot.get('cy')}" for dot in chart.iter("circle")]
    reports = [dot for dot in dots if dot in line]
    assert len(reports) == 5
    assert line[0] == reports[0]
    assert line[-1] == reports[-1]


def test_the_table_of_what_happened_leaves_out_reports_that_repeat_the_one_before() -> None:
    page = Page(service_page(EMPTY | {"events": LOOP}))
    assert (
        "at what outcome why more 2026-03-04 13:05 report ok why open 2026-03-04 13:01 promotion done Version 4 is in "
        "production (before: version 3): it is better 2026-03-04 13:01 retraining promoted why "
        "2026-03-04 12:50 retraining started why 2026-03-04 12:50 alert started Alert <b>Drift "
        "2026-03-04 12:30 report drift why 2026-03-04 12:15 report ok why 2026-03-04 12:00 report insufficient data why"
    ) in page.text
    assert "reports/new.html" in page.links


@pytest.mark.parametrize("minutes", [0, 1, 60, 24 * 60, 30 * 24 * 60, 900 * 24 * 60])
def test_the_time_line_fits_whatever_time_it_covers(minutes: int) -> None:
    content = service_page(EMPTY | {"events": [event(minutes, "report", "ok"), event(0, "report", "drift")]})
    (chart,) = charts_of(content)
    assert_nothing_collides(chart)
    ticks = [text for text in chart.iter("text") if text.get("text-anchor") == "middle"]
    assert 1 <= len(ticks) <= 8


def test_the_page_says_what_there_is_not() -> None:
    assert Page(service_page(EMPTY)).text == (
        "Monitoring no verdict yet Read at 2026-03-04 12:00 UTC. Read again every 30 seconds "
        "What happened Nothing yet. Retrainings No retraining has started. Alerts No alert was received. "
        "Runs that failed No run has failed. Reports There is no report yet. "
        "It monitors <every> 15 minutes. As JSON: history , decisions , verdicts , timeline ."
    )


def test_rows_are_shown_with_links_to_files() -> None:
    reports = [
        {"at": "2026-03-04", "verdict": "ok", "current_rows": 0, "reasons": None, "json_report": "a.json"},
        {"at": "<b>", "verdict": '"><b>', "current_rows": 7, "reasons": "x", "json_report": None},
    ]
    content = service_page(EMPTY | {"reports": reports})
    page = Page(content)
    page.assert_it_loads_nothing()
    assert "b" not in page.tags
    assert 'Reports at verdict current rows reasons json 2026-03-04 00:00 ok 0 json <b> "><b> 7 x ' in page.text
    assert page.links == [".", "reports/a.json", "history", "decisions", "verdicts", "timeline"]
    assert '<td class="ok">ok</td>' in content


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'alerts' is undefined"):
        service_page({name: value for name, value in EMPTY.items() if name != "alerts"})


def test_the_page_needs_no_library_for_data() -> None:
    heavy = ["pandas", "numpy", "matplotlib", "scipy", "sklearn", "evidently", "checks", "catalog"]
    block = f"import datetime, sys; sys.modules.update(dict.fromkeys({heavy!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{block}; from reports.service_page import service_page; service_page({EMPTY!r})"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
