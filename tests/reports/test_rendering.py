"""The environment of the templates, and what numbers look like."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest

from reports.rendering import TEMPLATES, cell, interval, markdown_cell, minute, percent, render, score, thousands, words

ROOT = Path(__file__).resolve().parents[2]
DECISION = {"promoted": True, "reason": "<b>", "type_losses": {}}


def test_numbers_have_a_fixed_form() -> None:
    assert [cell(value) for value in (0.12345, 1.0, 12_345, -1_000, 0, "x")] == [
        "0.123", "1.000", "12,345", "-1,000", "0", "x",
    ]  # fmt: skip
    assert (score(0.5), score(0.567, 2), thousands(1_234_567)) == ("0.500", "0.57", "1,234,567")
    assert (percent(0.256), percent(0.256, 1)) == ("26%", "25.6%")
    assert interval((0.1, 0.25)) == "0.100 to 0.250"
    assert minute(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04"
    assert words("insufficient_data") == "insufficient data"


def test_a_cell_of_a_markdown_table_stays_one_cell() -> None:
    assert markdown_cell("a | b\n<c>") == "a \\| b \\<c\\>"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="differences"):
        render("decision_page.html.j2", decision=DECISION)
    with pytest.raises(jinja2.TemplateNotFound):
        render("nothing.html.j2")


def test_html_is_escaped_in_every_page() -> None:
    names = {path.name for path in TEMPLATES.iterdir()}
    assert {name for name in names if not name.endswith((".html.j2", ".txt.j2"))} == {"model_card.md.j2", "style.css"}
    for path in TEMPLATES.glob("*.j2"):
        source = path.read_text(encoding="utf-8")
        assert "|safe" not in source.replace(" ", ""), path
        assert "autoescape" not in source, path
    assert "&lt;b&gt;" in render("decision_page.html.j2", decision=DECISION, differences=[])


def test_every_page_has_the_one_stylesheet() -> None:
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    assert style.strip() in render("decision_page.html.j2", decision=DECISION, differences=[])
    for path in TEMPLATES.glob("*.j2"):
        source = path.read_text(encoding="utf-8")
        assert "style=" not in source, path
        assert source.count("<style") == (path.name == "base.html.j2"), path


def test_templates_are_found_from_any_working_directory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from reports.rendering import render; print(render('abstention.txt.j2', "
         "evaluation={'threshold': None, 'selective_precision': None, 'target_precision': 0.9}))"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("No confidence is known to keep the target precision of 90%")
