"""The documents are true: the drawing shows the imports, and every file that is named exists."""

import re
from pathlib import Path

import pytest

from bento.schemas import FEEDBACK_BYTES, LISTING_BYTES
from bento.settings import Settings
from tests.architecture.test_imports import MAY_IMPORT, imported_by, sources

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ARROWS = [
    (re.sub(r"\W.*", "", above.replace("run.py", "run")), below)
    for above, below in re.findall(r"^    (\S+) --> (\w+)$", ARCHITECTURE, re.MULTILINE)
]


REQUESTS = re.findall(r"^    (\w+) -\. HTTP \.-> (\w+)$", ARCHITECTURE, re.MULTILINE)


def below(room: str) -> set[str]:
    """The rooms that can be reached from a room along the arrows of the drawing."""
    reached: set[str] = set()
    waiting = {room}
    while waiting:
        above = waiting.pop()
        waiting |= {other for start, other in ARROWS if start == above} - reached
        reached |= waiting
    return reached


def imports(room: str) -> set[str]:
    found = {name.split(".")[0] for path in sources(room) for name in imported_by(path)}
    return found & MAY_IMPORT.keys() - {room}


def test_the_drawing_has_every_room() -> None:
    assert {room for arrow in [*ARROWS, *REQUESTS] for room in arrow} == MAY_IMPORT.keys() | {"run"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_rooms_below_it_in_the_drawing(room: str) -> None:
    assert imports(room) <= below(room)


@pytest.mark.parametrize(("above", "under"), [arrow for arrow in ARROWS if arrow[0] != "run"])
def test_every_arrow_is_an_import(above: str, under: str) -> None:
    assert under in imports(above)


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    names = set(re.findall(r"`([\w.]+/[\w./-]*|[\w-]+\.(?:py|lock|toml))`", text)) - {".state/", "base.html.j2"}
    assert len(names) > 15
    assert not {name for name in names if not (ROOT / name).exists()}
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / document).parent.joinpath(link).exists()


def test_the_page_about_proxies_names_every_limit_that_can_be_set() -> None:
    text = (ROOT / "docs" / "proxy.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", text))
    limits = {name.upper() for name in Settings.model_fields if re.match("max_|.*timeout_seconds$", name)}
    assert named == limits | {"TRUSTED_PROXIES"}
    assert f"{LISTING_BYTES / 1024:.0f} KiB at `/predict`, {FEEDBACK_BYTES / 1024:.0f} KiB at `/feedback`" in text
