"""The page of the monitor service."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest

from reports.service_page import service_page
from tests.reports.reading import Page

ROOT = Path(__file__).resolve().parents[2]
EMPTY: dict[str, Any] = {
    "latest": None, "retrainings": [], "alerts": [], "failed_runs": [], "reports": [],
    "description": "It monitors <every> 15 minutes.",
}  # fmt: skip
LATEST = {
    "verdict": "drift", "model_name": "rakuten<i>", "model_version": "3", "reasons": ["user <script>eve disagrees"],
}  # fmt: skip


def test_the_page_shows_the_latest_verdict() -> None:
    content = service_page(EMPTY | {"latest": LATEST})
    page = Page(content)
    page.assert_it_loads_nothing()
    assert not {"i", "script", "every"} & page.tags
    assert page.text.startswith("Monitoring drift for version 3 of rakuten<i> ( report ) user <script>eve disagrees ")
    assert '<span class="large drift">' in content
    assert page.links == ["reports/latest", "history", "decisions"]


def test_the_page_says_what_there_is_not() -> None:
    assert Page(service_page(EMPTY)).text == (
        "Monitoring no verdict yet Retrainings No retraining has started. Alerts No alert was received. "
        "Runs that failed No run has failed. Reports There is no report yet. "
        "It monitors <every> 15 minutes. As JSON: history , decisions ."
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
    assert 'Reports at verdict current rows reasons json 2026-03-04 ok 0 json <b> "><b> 7 x ' in page.text
    assert page.links == ["reports/a.json", "history", "decisions"]
    assert '<td class="ok">ok</td>' in content


def test_a_browser_loads_the_page_again_every_30_seconds() -> None:
    assert '<meta http-equiv="refresh" content="30">' in service_page(EMPTY)


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'alerts' is undefined"):
        service_page({name: value for name, value in EMPTY.items() if name != "alerts"})


def test_the_page_needs_no_library_for_data() -> None:
    heavy = ["pandas", "numpy", "matplotlib", "scipy", "sklearn", "evidently", "checks", "catalog"]
    block = f"import sys; sys.modules.update(dict.fromkeys({heavy!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{block}; from reports.service_page import service_page; service_page({EMPTY!r})"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
