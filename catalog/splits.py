"""The split of each row of a table, which follows from the identity of its text."""

from typing import TYPE_CHECKING, Literal, get_args

from catalog.split_key import text_key

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_TRAIN, _VALIDATION = 0.8, 0.9  # where the splits end. Never change them: rows would move into the test split.


def texts_of(table: "pd.DataFrame") -> list[tuple[str, str | None]]:
    """Return title and description of each row of a table; a description that is missing is None."""
    pairs = zip(table["designation"], table["description"], strict=True)
    return [(title, text if isinstance(text, str) else None) for title, text in pairs]


def text_keys(table: "pd.DataFrame") -> list[str]:
    """Return the identity of the text of each row of a table."""
    return [text_key(title, text) for title, text in texts_of(table)]


def split_of(text_key: str) -> Split:
    """Return the split of a text: 80 % train, 10 % validation, 10 % test, computed from its key alone.

    It does not depend on any other row. So a text stays in its split as data grows, and no text is in two splits.
    """
    position = int(text_key[:16], 16) / 16**16
    return "train" if position < _TRAIN else "validation" if position < _VALIDATION else "test"
