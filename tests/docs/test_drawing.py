"""Flowcharts are drawn row by row: an arrow leads down, and passes beside what is between its ends."""

import importlib.util
import re
from types import ModuleType

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    """The module of the site's builder, which belongs to no package."""
    specification = importlib.util.spec_from_file_location("drawing", ROOT / "docs" / "hooks" / "drawing.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_name_is_below_all_that_point_to_it(drawing: ModuleType) -> None:
    svg = drawing.draw("    a[run.py] --> b\n    b --> c\n    a -. HTTP .-> c\n")
    heights = {name: int(y) for y, name in re.findall(r'<text x="-?\d+" y="(\d+)">([^<]+)</text>', svg)}
    assert heights["run.py"] < heights["b"] < heights["c"]
    assert (svg.count("<path"), svg.count('<path class="dashed"')) == (3, 1)
    assert 'aria-label="a to b; b to c; a to c"' in svg


def test_only_flowcharts_are_replaced(drawing: ModuleType) -> None:
    page = "before\n```mermaid\nflowchart TD\n    a --> b\n```\n```text\na --> b\n```\n"
    drawn = drawing.on_page_markdown(page)
    assert drawn.startswith("before\n<svg")
    assert "```text\na --> b\n```" in drawn
