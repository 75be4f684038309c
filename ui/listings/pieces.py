"""A catalogue, cut into pieces that the service takes at a time."""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ui.services.prediction import BATCH_CHARACTERS, BATCH_LISTINGS, Listing

_BODY_BYTES = 4 * 2**20 - 65_536  # the service's limit, with room for what is around the listings


@dataclass(frozen=True)
class Piece:
    """Some listings that follow each other. Sent again, it has the same key, and so no second effect."""

    start: int
    listings: Sequence[Listing]
    key: str = field(default_factory=lambda: str(uuid.uuid4()))


def cut(listings: Sequence[Listing]) -> Iterator[Piece]:
    """Yield pieces of up to 1,000 listings and 1,000,000 characters, in order."""
    start = characters = size = 0
    for place, listing in enumerate(listings):
        length = sum(len(text or "") for text in (listing["designation"], listing.get("description")))
        weight = len(json.dumps(listing, ensure_ascii=False).encode("utf-8", "surrogatepass")) + 2
        full = place - start == BATCH_LISTINGS
        if full or characters + length > BATCH_CHARACTERS or size + weight > _BODY_BYTES:
            yield Piece(start, listings[start:place])
            start, characters, size = place, 0, 0
        characters, size = characters + length, size + weight
    if start < len(listings):
        yield Piece(start, listings[start:])
