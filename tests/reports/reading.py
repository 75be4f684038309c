"""Reads a page as a browser does: its text, its charts, and everything that it would load or run."""

from html.parser import HTMLParser

from reports.rendering import TEMPLATES

_LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "style"}
_CHART_TAGS = {"svg", "title", "desc", "g", "text", "rect", "circle", "line", "path", "polyline"}


class Page(HTMLParser):
    """A parsed page: `text` that is shown, `tags` in use, `links` that can be followed, `loaded` addresses.

    `tags` has neither the tags of charts nor that of the one script; the texts of charts are in `chart_texts`.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.styles = ""
        self.scripts: list[str] = []
        self.charts = 0
        self.chart_texts: list[str] = []
        self._in_chart = False
        self._shown: list[str] = []
        self._open = ""
        self.feed(content)
        self.close()

    @property
    def text(self) -> str:
        """What a person sees, with single spaces."""
        return " ".join(" ".join(self._shown).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        if tag == "svg":
            self.charts += 1
            self._in_chart = True
        if tag == "script":
            self.scripts.append("")
        if self._in_chart:
            assert tag in _CHART_TAGS, tag
        elif tag != "script" or attrs:
            self.tags.add(tag)
        addresses = [value or "" for name, value in attrs if name in _LOADING]
        if tag == "a":
            self.links += addresses
        else:
            self.loaded += addresses
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
        if tag == "svg":
            self._in_chart = False

    def handle_data(self, data: str) -> None:
        if self._open == "style":
            self.styles += data
        elif self._open == "script":
            self.scripts[-1] += data
        elif self._in_chart:
            self.chart_texts += [data.strip()] if data.strip() else []
        elif self._open != "title":
            self._shown.append(data)

    def assert_it_loads_nothing(self) -> None:
        """Fail if a browser would fetch anything for this page, or run more than the one script of all pages."""
        assert self.scripts == [(TEMPLATES / "page.js").read_text(encoding="utf-8").removesuffix("\n")]
        assert not self.tags & {"script", "iframe", "object", "embed", "base", "form"}
        assert not [address for address in self.loaded if not address.startswith("data:")]
        assert "url(" not in self.styles
        assert "@import" not in self.styles
