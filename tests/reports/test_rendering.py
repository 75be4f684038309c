"""The environment of the templates, and what numbers look like."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest

from reports.rendering import (
    TEMPLATES,
    cell,
    interval,
    markdown_cell,
    minute,
    moment,
    percent,
    render,
    score,
    script_source,
    thousands,
    words,
)  # fmt: skip
from tests.reports.reading import Page

ROOT = Path(__file__).resolve().parents[2]
DECISION = {"promoted": True, "verdict": "promoted", "reason": "<b>", "type_losses": {}}
VALUES = {"decision": DECISION, "differences": [], "scores": [], "chart": None}


def test_numbers_have_a_fixed_form() -> None:
    assert [cell(value) for value in (0.12345, 1.0, 12_345, -1_000, 0, "x")] == [
        "0.123", "1.000", "12,345", "-1,000", "0", "x",
    ]  # fmt: skip
    assert (score(0.5), score(0.567, 2), thousands(1_234_567)) == ("0.500", "0.57", "1,234,567")
    assert (percent(0.256), percent(0.256, 1)) == ("26%", "25.6%")
    assert interval((0.1, 0.25)) == "0.100 to 0.250"
    assert minute(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04"
    assert moment("2026-01-02T03:04:05+01:00") == "2026-01-02 02:04"
    assert (moment(None), moment("<b>")) == ("", "<b>")
    assert words("insufficient_data") == "insufficient data"


def test_a_cell_of_a_markdown_table_stays_one_cell() -> None:
    assert markdown_cell("a | b\n<c>") == "a \\| b \\<c\\>"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="scores"):
        render("decision_page.html.j2", decision=DECISION)
    with pytest.raises(jinja2.TemplateNotFound):
        render("nothing.html.j2")


def test_html_is_escaped_in_every_page() -> None:
    names = {path.name for path in TEMPLATES.iterdir()}
    others = {name for name in names if not name.endswith((".html.j2", ".txt.j2", ".svg.j2"))}
    assert others == {"model_card.md.j2", "style.css", "page.js"}
    for path in TEMPLATES.glob("*.j2"):
        source = path.read_text(encoding="utf-8")
        assert "|safe" not in source.replace(" ", ""), path
        assert "autoescape" not in source, path
    assert "&lt;b&gt;" in render("decision_page.html.j2", **VALUES)


def test_every_page_has_the_one_stylesheet() -> None:
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    assert style.strip() in render("decision_page.html.j2", **VALUES)
    for path in TEMPLATES.glob("*.j2"):
        source = path.read_text(encoding="utf-8")
        assert "style=" not in source, path
        assert source.count("<style") == (path.name in ("base.html.j2", "charts.html.j2")), path


def test_every_page_has_the_one_script_and_its_digest_is_what_policies_allow() -> None:
    script = Page(render("decision_page.html.j2", **VALUES)).scripts
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert [script_source()] * len(script) == [f"'sha256-{digest}'"]
    for path in TEMPLATES.glob("*.j2"):
        assert path.read_text(encoding="utf-8").count("<script") == (path.name == "base.html.j2"), path


def test_the_script_makes_nothing_of_texts_but_text() -> None:
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    for dangerous in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "eval",
        "Function",
        "document.write",
        "fetch",
        "import",
    ):
        assert dangerous not in script


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_a_text_can_be_read(scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of 4.5 or more."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    start = style.index(":root") if scheme == "light" else style.index("prefers-color-scheme: dark")
    colours = dict(
        re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", style[start : style.index("}", style.index("}", start))])
    )
    for background in ("paper", "panel"):
        for text in ("ink", "muted", "blue", "orange", "green", "amber", "red"):
            assert contrast(colours[text], colours[background]) >= 4.5, (text, background)


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    red, green, blue = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_templates_are_found_from_any_working_directory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from reports.rendering import render; print(render('abstention.txt.j2', "
         "evaluation={'threshold': None, 'selective_precision': None, 'target_precision': 0.9}))"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("No confidence is known to keep the target precision of 90%")
