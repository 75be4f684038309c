"""The system's Chromium, for tests that look at pages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Any]:
    """Playwright's browser. Skips the test where there is no Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not _CHROMIUM.is_file():
        pytest.skip(f"no Chromium at {_CHROMIUM}; install it or name it in CHROMIUM")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=str(_CHROMIUM), args=_FLAGS)
        yield browser
        browser.close()
