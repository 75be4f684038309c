"""Rows that cannot be classified, and why; and the listings of all others."""

from dataclasses import dataclass

import pandas as pd

from ui.services.prediction import DESCRIPTION_CHARACTERS, TITLE_CHARACTERS, Listing


@dataclass(frozen=True)
class Checked:
    """The listings of a catalogue.

    Attributes:
        listings: those that can be sent.
        rows: the number of the row of each of them.
        problems: by the number of the row, what is wrong: blank_title, nul, long_title or long_description.
    """

    listings: list[Listing]
    rows: list[int]
    problems: dict[int, str]


def check(title: "pd.Series[str]", description: "pd.Series[str] | None") -> Checked:
    """Check texts whose index is the number of their row."""
    problems: dict[int, str] = {}
    listings: list[Listing] = []
    rows: list[int] = []
    texts = description if description is not None else pd.Series("", index=title.index, dtype=object)
    for row, designation, text in zip(title.index, title, texts, strict=True):
        problem = _problem(designation, text)
        if problem:
            problems[int(row)] = problem
        else:
            rows.append(int(row))
            listings.append({"designation": designation, "description": text} if text else {"designation": designation})
    return Checked(listings, rows, problems)


def _problem(title: str, description: str) -> str | None:
    if not title.strip():
        return "blank_title"
    if "\0" in title or "\0" in description:
        return "nul"
    if len(title) > TITLE_CHARACTERS:
        return "long_title"
    if len(description) > DESCRIPTION_CHARACTERS:
        return "long_description"
    return None
