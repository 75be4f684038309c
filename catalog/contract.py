"""The data contract: what a listing is, as plain data. Training checks tables against it, the service single
requests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contract:
    """Limits of a listing and of a table of listings; shares are of all rows, between 0 and 1."""

    columns: tuple[str, ...] = ("index", "designation", "description", "productid", "imageid", "prdtypecode")
    whole_numbers: tuple[str, ...] = ("index", "prdtypecode")  # the rest of the numbers is never computed with
    title_limit: int = 10_000  # characters; longer titles are cut
    description_limit: int = 20_000  # characters; the service accepts no longer ones

    # Critical: the run stops.
    minimum_listings: int = 200
    minimum_types: int = 2  # with at least ...
    minimum_type_listings: int = 10
    empty_title_share: float = 0.01

    # Warning: the run goes on and the report says so.
    small_type_listings: int = 50
    missing_description_rise: float = 0.10  # above the last version's share
    class_shift: float = 0.10  # total variation distance from the last version's class frequencies


CONTRACT = Contract()
