"""The site of the documents: it is built without a warning, and its pages load nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium
from tests.conftest import ROOT

# What a browser loads by itself; a link in a text is none of it.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//
      | <link\b[^>]*\brel=["']?(?:stylesheet|preconnect|preload|icon|manifest)[^>]*\bhref=["']?(?:https?:)?//
      | (?:url\(|@import\s)["']?(?:https?:)?//""",
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_document_is_a_page_and_the_readme_is_the_first(site: Path) -> None:
    pages = {path.stem for path in site.glob("*.html")}
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= pages
    assert {"contributing", "changelog", "reporting"} <= pages
    assert "make run" in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "licence.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_pages_scripts_and_styles_load_nothing_from_another_host(site: Path) -> None:
    loading = [path for kind in ("*.html", "*.css") for path in site.rglob(kind) if _LOADED.search(path.read_text())]
    assert not loading
    assert not [path for path in site.rglob("*.html") if "unpkg.com" in path.read_text()]


def test_the_drawing_of_the_rooms_is_a_picture(site: Path) -> None:
    page = (site / "architecture.html").read_text(encoding="utf-8")
    assert re.search(r"<svg class=.drawing.*>run\.py</text>.*</svg>", page)
    assert "mermaid" not in page


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_the_window_and_asks_no_host(site: Path, width: int, scheme: str) -> None:
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        for path in sorted(site.glob("*.html")):
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
            assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]


@pytest.mark.browser
def test_the_search_works_on_files(site: Path) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto((site / "index.html").as_uri())
        page.get_by_placeholder("Search").fill("rollback")
        page.locator(".md-search-result__link").first.wait_for(timeout=20_000)
