"""Which columns hold the title and the description, and whether the first row names them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

_TITLES = (
    "designation", "title", "titre", "titel", "producttitle", "productname", "itemname", "libelle", "intitule", "nom",
    "name", "produktname", "produkttitel", "artikelname", "artikelbezeichnung", "bezeichnung", "artikel", "produit",
    "nomduproduit", "product", "produkt", "article",
)  # fmt: skip
_DESCRIPTIONS = (
    "description", "productdescription", "itemdescription", "longdescription", "descriptionlongue", "descriptif",
    "beschreibung", "produktbeschreibung", "artikelbeschreibung", "langtext", "desc", "details", "detail", "text",
)  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """What stands where. `title` and `description` are places of columns, from 0; `header`: the first row has names."""

    title: int
    description: int | None
    header: bool


def guess(frame: pd.DataFrame) -> Columns:
    """Return the best guess: by the names in the first row, or else the first column with words is the title."""
    first = [_plain(str(cell)) for cell in frame.iloc[0]]
    title, description = _place(first, _TITLES), _place(first, _DESCRIPTIONS)
    header = title is not None or description is not None
    if title is None:
        others = [place for place in range(len(first)) if place != description]
        title = _with_words(frame, others)
    if description is None and not header:
        later = [place for place in range(title + 1, len(first))]
        description = _with_words(frame, later) if later else None
    return Columns(title, None if description == title else description, header)


def names(frame: pd.DataFrame, header: bool) -> list[str]:
    """Return a name for each column, each once: from the first row, or A, B, C as a spreadsheet has them."""
    given = [str(cell).strip() for cell in frame.iloc[0]] if header else [""] * frame.shape[1]
    found: list[str] = []
    for place, name in enumerate(given):
        unique = name or _letters(place)
        while unique in found:
            unique += "_2"
        found.append(unique)
    return found


def with_names(frame: pd.DataFrame, header: bool) -> pd.DataFrame:
    """Return the rows without the one that names the columns, under those names."""
    rows = frame.iloc[1:] if header else frame
    return rows.set_axis(names(frame, header), axis="columns")


def _place(given: Sequence[str], wanted: Sequence[str]) -> int | None:
    for name in wanted:
        if name in given:
            return given.index(name)
    return None


def _with_words(frame: pd.DataFrame, places: Sequence[int]) -> int:
    """Return the first of these columns whose cells are mostly words and no numbers; the first one if none is."""
    for place in places:
        sample = frame.iloc[:50, place].astype(str)
        if sample.str.contains(r"[^\W\d_]{3}", regex=True).mean() > 0.5 and sample.str.contains(" ").mean() > 0.3:
            return place
    return places[0] if places else 0


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z]", "", decomposed)


def _letters(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
