"""The listings of a batch, each of which is valid or not by itself."""

import re
from typing import Any

from pydantic import ValidationError

from bento.schemas import EXPANSION, NORMALISED_CHARACTERS, Listing
from catalog.contract import CONTRACT
from web.problems import field_errors

Texts = tuple[str, str | None]  # title and description
_MOST_FIELDS = 20
_SEEN = re.compile("[A-Za-z0-9]")


def read_texts(entry: Any) -> Texts | list[dict[str, Any]]:
    """Return the texts of a listing, or what is wrong with it. `entry` is a value of JSON."""
    if isinstance(entry, dict):
        if texts := _plain_texts(entry):
            return texts
        if len(entry) > _MOST_FIELDS:  # validation would make an error of each
            return [{"field": "", "message": f"the listing has more than {_MOST_FIELDS} fields"}]
    try:
        listing = Listing.model_validate(entry)
    except ValidationError as error:
        return field_errors(error.errors(include_input=False, include_url=False, include_context=False))
    return listing.designation, listing.description


def _plain_texts(entry: dict[Any, Any]) -> Texts | None:
    """Return the texts of a listing that is valid for certain; None: the model `Listing` decides.

    Most listings are plain, and the model takes six times as long for one.
    """
    title, description = entry.get("designation"), entry.get("description")
    if len(entry) != ("description" in entry) + 1 or type(title) is not str or not _SEEN.search(title):
        return None
    if "\0" in title or len(title) > CONTRACT.title_limit:
        return None
    size = len(title)
    if description is not None:
        if type(description) is not str or "\0" in description or len(description) > CONTRACT.description_limit:
            return None
        size += len(description)
    # So short that it may expand as far as a text can.
    return (title, description) if size * EXPANSION <= NORMALISED_CHARACTERS else None
