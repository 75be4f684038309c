"""The listings of the serving benchmark, which are in no training data, as bodies of requests."""

from typing import Any

BATCH = 1_000  # listings in a request to /predict/batch
REPEATED = 400  # listings that are sent again and again, for comparison
_SEED = 7  # the training data has another one

Body = dict[str, Any]


def unseen_listings(number: int) -> list[Body]:
    """Return the bodies for /predict: about so many listings, none of them twice."""
    from catalog.synthetic import write_listings

    distinct = {}
    for listing in write_listings(number, _SEED)[0]:
        described = {"description": listing.description} if listing.description else {}
        distinct[listing.title, listing.description] = {"designation": listing.title, **described}
    return list(distinct.values())


def in_batches(listings: list[Body]) -> list[Body]:
    """Return the bodies for /predict/batch, each of 1,000 listings; what is left over is in none."""
    return [{"listings": listings[end - BATCH : end]} for end in range(BATCH, len(listings) + 1, BATCH)]
