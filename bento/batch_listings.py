"""The listings of a batch, each of which is valid or not by itself."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from bento.schemas import Listing
from catalog.contract import CONTRACT
from catalog.listing_size import NORMALISED_LIMIT, is_longer
from catalog.predictor import Texts
from catalog.text import is_blank
from web.problems import field_errors

Read = Texts | list[dict[str, Any]]  # the texts of a listing, or what is wrong with it
# What is answered before other requests get their turn: some 4 ms for listings of the usual length.
_PIECE_LISTINGS, _PIECE_BYTES = 32, 16_000
_MOST_FIELDS = 20


def in_pieces(listings: Sequence[Any]) -> Iterator[list[Read]]:
    """Yield what `read_texts` returns for each listing: a few dozen listings at a time, or a long one alone."""
    piece: list[Read] = []
    size = 0
    for entry in listings:
        own = _bytes_of_texts(entry)
        if piece and (size + own > _PIECE_BYTES or len(piece) == _PIECE_LISTINGS):
            yield piece
            piece, size = [], 0
        piece.append(read_texts(entry))
        size += own
    if piece:
        yield piece


def read_texts(entry: Any) -> Read:
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
    if len(entry) != ("description" in entry) + 1 or type(title) is not str or is_blank(title):
        return None
    if "\0" in title or len(title) > CONTRACT.title_limit:
        return None
    if description is not None and (
        type(description) is not str or "\0" in description or len(description) > CONTRACT.description_limit
    ):
        return None
    return None if is_longer(title, description or "", NORMALISED_LIMIT) else (title, description)


def _bytes_of_texts(entry: Any) -> int:
    """Return the size of a listing's texts in UTF-8, whether they are valid or not."""
    if not isinstance(entry, dict):
        return 0
    return _bytes(entry.get("designation")) + _bytes(entry.get("description"))


def _bytes(text: Any) -> int:
    return len(text.encode()) if isinstance(text, str) else 0
