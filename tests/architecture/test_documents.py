"""The documents are true: the drawing shows the imports, and every file, picture and page that is named exists."""

import re
from pathlib import Path

import pytest

from bento.schemas import FEEDBACK_BYTES, LISTING_BYTES
from bento.settings import Settings
from tests.architecture.test_imports import MAY_IMPORT, imported_by, sources

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
# What the documents name and a clone does not have: folders that commands write.
MADE = {"base.html.j2", "site/", "DIR/zenml", "DIR/bentoml", "listings/", "evaluation/evaluation.html"}
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


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_and_target_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    names = set(re.findall(r"`([\w.]+/[\w./-]*|[\w-]+\.(?:py|lock|toml))`", text)) - MADE
    assert not {name for name in names if not name.startswith(".state/") and not (ROOT / name).exists()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document: str) -> None:
    for link, anchor in re.findall(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)", (ROOT / document).read_text(encoding="utf-8")):
        path = (ROOT / document).parent / link if link else ROOT / document
        assert path.is_file(), link
        headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    pages = {document for document in DOCUMENTS if document != "README.md"} | {"LICENSE"}
    assert pages <= set(re.findall(r"\]\(([^)#]+)\)", text))


def test_the_page_about_proxies_names_every_limit_that_can_be_set() -> None:
    text = (ROOT / "docs" / "proxy.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", text))
    limits = {name.upper() for name in Settings.model_fields if re.match("max_|.*timeout_seconds$", name)}
    assert named == limits | {"TRUSTED_PROXIES"}
    assert f"{LISTING_BYTES / 1024:.0f} KiB at `/predict`, {FEEDBACK_BYTES / 1024:.0f} KiB at `/feedback`" in text
