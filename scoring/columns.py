"""Where the columns of a catalogue are."""

from collections.abc import Sequence
from dataclasses import dataclass

_TITLES, _DESCRIPTIONS = ("designation",), ("description",)
_IDS = ("index", "", "id")


class CatalogueError(ValueError):
    """A catalogue cannot be scored as it is. The message names the file and what was expected."""


@dataclass(frozen=True)
class Wanted:
    """The columns that a person named; None: the challenge's."""

    title: str | None = None
    description: str | None = None
    id: str | None = None
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """Where the columns of a file are, by position, and how many it has. `description` None: it has none."""

    count: int
    id: int
    title: int
    description: int | None
    keep: tuple[int, ...]


def find_columns(address: str, names: Sequence[str], wanted: Wanted) -> Columns:
    """Return where the wanted columns are. Raises `CatalogueError` that names the columns there are."""
    found = ", ".join(name or "(no name)" for name in names)

    def place(options: Sequence[str]) -> int | None:
        for name in options:
            if names.count(name) > 1:
                raise CatalogueError(f"{address}: the column {name!r} is there twice; found {found}")
            if name in names:
                return names.index(name)
        return None

    def needed(name: str | None, defaults: Sequence[str], option: str) -> int:
        at = place((name,) if name is not None else defaults)
        if at is None:
            expected = name if name is not None else defaults[0]
            raise CatalogueError(f"{address} has no column {expected!r}; name it with {option} COLUMN; found {found}")
        return at

    description = (
        needed(wanted.description, (), "--description") if wanted.description is not None else place(_DESCRIPTIONS)
    )
    return Columns(
        count=len(names),
        id=needed(wanted.id, _IDS, "--id"),
        title=needed(wanted.title, _TITLES, "--title"),
        description=description,
        keep=tuple(needed(name, (), "--keep") for name in wanted.keep),
    )
