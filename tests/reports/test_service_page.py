"""The page of the monitor service."""

import subprocess
import sys
from pathlib import Path

from reports.service_page import LatestVerdict, Section, service_page
from tests.reports.reading import Page

ROOT = Path(__file__).resolve().parents[2]
LATEST = LatestVerdict("drift", "rakuten<i>", "3", ["user <script>eve disagrees"])


def test_the_page_shows_the_latest_verdict() -> None:
    page = Page(service_page(LATEST, [], "It monitors <every> 15 minutes."))
    page.assert_it_loads_nothing()
    assert not {"i", "script", "every"} & page.tags
    assert page.text == (
        "Monitoring drift for version 3 of rakuten<i> ( report ) user <script>eve disagrees "
        "It monitors <every> 15 minutes. As JSON: history , decisions ."
    )
    assert page.links == ["reports/latest", "history", "decisions"]


def test_there_may_be_no_verdict_yet() -> None:
    assert Page(service_page(None, [], "")).text.startswith("Monitoring no verdict yet")


def test_the_page_is_loaded_again_every_30_seconds() -> None:
    assert '<meta http-equiv="refresh" content="30">' in service_page(None, [], "")


def test_rows_are_shown_with_links_to_files() -> None:
    rows = [
        {"at": "2026-03-04", "verdict": "ok", "current_rows": 0, "reason": None, "log": "retraining-1.log"},
        {"at": "<b>", "verdict": '"><b>', "current_rows": 7, "reason": "x", "log": None},
    ]
    page = service_page(None, [Section("Runs", rows, "None."), Section("Alerts", [], "No alert was received.")], "")
    read = Page(page)
    read.assert_it_loads_nothing()
    assert "b" not in read.tags
    assert 'Runs at verdict current rows reason log 2026-03-04 ok 0 log <b> "><b> 7 x ' in read.text
    assert "Alerts No alert was received." in read.text
    assert read.links[0] == "reports/retraining-1.log"
    assert '<td class="ok">ok</td>' in page


def test_the_monitor_service_needs_no_library_for_data() -> None:
    heavy = ["pandas", "numpy", "matplotlib", "scipy", "sklearn", "evidently", "pydantic", "checks", "catalog"]
    block = f"import sys; sys.modules.update(dict.fromkeys({heavy!r}))"
    use = "from reports.service_page import service_page; print(service_page(None, [], ''))"
    done = subprocess.run(
        [sys.executable, "-c", f"{block}; {use}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "no verdict yet" in done.stdout, done.stderr
