"""Reads a page as a browser does: its text, its tables, and everything that it would load."""

from html.parser import HTMLParser

_LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "style"}


class Page(HTMLParser):
    """A parsed page: `text` that is shown, `tags` in use, `links` that can be followed, `loaded` addresses."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.styles = ""
        self._shown: list[str] = []
        self._open = ""
        self.feed(content)
        self.close()

    @property
    def text(self) -> str:
        """What a person sees, with single spaces."""
        return " ".join(" ".join(self._shown).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._open = tag
        addresses = [value or "" for name, value in attrs if name in _LOADING]
        if tag == "a":
            self.links += addresses
        else:
            self.loaded += addresses
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "style":
            self.styles += data
        elif self._open != "title":
            self._shown.append(data)

    def assert_it_loads_nothing(self) -> None:
        """Fail if a browser would fetch anything, or run anything, for this page."""
        assert not self.tags & {"script", "iframe", "object", "embed", "base", "form"}
        assert not [address for address in self.loaded if not address.startswith("data:")]
        assert "url(" not in self.styles
        assert "@import" not in self.styles
