"""Names of users: two names that look the same are one name, and every name can stand in a path."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from catalog.text import visible


def normalised(name: str) -> str:
    """Return the name as it is stored: in the form NFKC, without characters that are not seen."""
    return visible(name)


def _normalised(given: object) -> object:
    return normalised(given) if isinstance(given, str) else given


def _no_id(name: str) -> str:
    try:
        UUID(name)
    except ValueError:
        return name
    raise ValueError("a name must not look like the id of a user")


Username = Annotated[
    str,
    BeforeValidator(_normalised),
    # It begins with a letter, a digit or "_": "." and ".." in a path would never reach the service.
    Field(pattern=r"^\w[\w.@+-]{0,63}$"),
    AfterValidator(_no_id),
]
