"""The split of each row of a table, which follows from the identity of its text."""

from typing import TYPE_CHECKING, Literal, get_args

from catalog.split_key import key_of, text_form

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
# In the column `split` of a clean table: a row of validation or test that is near to a train row, see `separation`.
NEAR_DUPLICATE: Literal["near_duplicate"] = "near_duplicate"
_TRAIN, _VALIDATION = 0.8, 0.9  # where the splits end. Never change them: rows would move into the test split.


def texts_of(table: "pd.DataFrame") -> list[tuple[str, str | None]]:
    """Return title and description of each row of a table; a description that is missing is None."""
    pairs = zip(table["designation"], table["description"], strict=True)
    return [(title, text if isinstance(text, str) else None) for title, text in pairs]


def text_forms(table: "pd.DataFrame") -> list[str]:
    """Return the normalised text of each row of a table."""
    return [text_form(title, text) for title, text in texts_of(table)]


def text_keys(table: "pd.DataFrame") -> list[str]:
    """Return the identity of the text of each row of a table."""
    return [key_of(form) for form in text_forms(table)]


def split_of(text_key: str) -> Split:
    """Return the split of a text: 80 % train, 10 % validation, 10 % test, computed from its key alone.

    It does not depend on any other row. So a text stays in its split as data grows, and no text is in two splits. What
    becomes of near duplicates in two splits is in `catalog.separation`.
    """
    position = int(text_key[:16], 16) / 16**16
    return "train" if position < _TRAIN else "validation" if position < _VALIDATION else "test"
