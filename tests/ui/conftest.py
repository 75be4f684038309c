"""The page in this process: Streamlit's AppTest, on the real prediction service of `tests/bento`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from catalog.predictor import Predictor
from tests.bento.conftest import (  # noqa: F401
    PASSWORD,
    Service,
    listening,
    running,
    service,
    settings,
    settings_in,
    start,
)
from tests.ui.monitored import Monitored
from ui.services import transport

APP = Path(__file__).resolve().parents[2] / "ui" / "app.py"
_SECONDS = 30  # that a run of the script may take on a busy machine
_KINDS = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success")


@dataclass
class Tab:
    """A tab of a browser: `app` is what it shows."""

    app: AppTest

    def open(self, path: str) -> "Tab":
        """Go to a page of the navigation, by the path in `ui/navigation.py`; "" is the first one."""
        self.app._page_hash = calc_hash(path)  # AppTest itself knows pages that are files
        self.app.run()
        return self

    def sign_in(self, username: str, password: str = PASSWORD) -> "Tab":
        """Fill in the form and send it."""
        self.app.text_input[0].set_value(username)
        self.app.text_input(key="password").set_value(password)
        self.app.button[0].click()
        self.app.run()
        return self

    def press(self, label: str) -> "Tab":
        """Press the button with this label."""
        next(button for button in self.app.button if button.label == label).click()
        self.app.run()
        return self

    def edit(self, rows: dict[int, dict[str, object]]) -> "Tab":
        """Edit cells of the table: by the place of the row, the new value of each column."""
        key = self.app.data_editor[0].key
        assert key is not None
        self.app.session_state[key] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
        self.app.run()
        return self

    @property
    def shown(self) -> str:
        """All that is written in the page and the sidebar."""
        return "\n".join(str(element.value) for kind in _KINDS for element in getattr(self.app, kind))

    @property
    def htmls(self) -> list[str]:
        """The elements that are HTML of our own."""
        return [str(element.proto.body) for element in self.app.get("html")]

    @property
    def html(self) -> str:
        """All HTML of our own."""
        return "\n".join(self.htmls)

    @property
    def pages(self) -> set[str]:
        """The paths of the pages in the navigation; "" is the first one."""
        return {str(page.get("url_pathname", "")) for page in self.app._registered_pages.values()}


@pytest.fixture(scope="session")
def shared_service(predictor: Predictor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that do not mind what others have asked it. To use it, a module defines `services`."""
    with running(settings_in(tmp_path_factory.mktemp("shared")), predictor) as shared:
        yield shared


@pytest.fixture
def services(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:  # noqa: F811
    """The prediction service with auth, where the page looks for it. Nothing answers at the monitor service."""
    return reached(service, monkeypatch)


@pytest.fixture
def tab(services: Service) -> Tab:
    """A tab in which nobody has signed in."""
    return new_tab()


@pytest.fixture
def monitored(services: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitored]:
    """The monitor service, where the page looks for it."""
    with listening(services.application) as address:
        found = Monitored(tmp_path / "monitoring", address)
        original = transport.connect
        monkeypatch.setenv("MONITOR_URL", "http://monitor")
        monkeypatch.setattr(
            transport, "connect", lambda url: found.client if url == "http://monitor" else original(url)
        )
        yield found
        found.service.stop()


def reached(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:  # noqa: F811
    """Let the page reach a service."""
    monkeypatch.setenv("SERVICE_URL", "http://service")
    monkeypatch.setenv("MONITOR_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("AUTH_URL", raising=False)
    original = transport.connect
    monkeypatch.setattr(transport, "connect", lambda url: service.client if url == "http://service" else original(url))
    return service


def new_tab(**context: Any) -> Tab:
    """Return a new tab. `context`: what its browser says, as `locale`."""
    app = AppTest.from_file(APP, default_timeout=_SECONDS)
    app.context.update(context)
    return Tab(app.run())
