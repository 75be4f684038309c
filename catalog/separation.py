"""Which held-out rows are not scored: near duplicates of train rows, of which the model knows the answer.

The split of a row follows from its text alone (`catalog.splits`) and never changes. To keep near duplicates in one
split, a row would have to follow others, and a new row that is near to a train row and to a test row would move one of
them. Then the version in production would be compared on rows that it was trained on. So no row moves: a held-out row
that is near to a train row is neither trained on nor scored, and this depends neither on the order of the rows nor on
earlier runs. As data grows, a test row may be left out. A row is never trained on at one time and scored at another.

Near duplicates within the held-out rows stay: they are as frequent there as among new listings, and on the validation
rows only one temperature, one threshold and the choice of the candidate are fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.near_duplicates import Shingles
from catalog.profile import NearDuplicates
from catalog.splits import NEAR_DUPLICATE


class SeparationError(ValueError):
    """No row is left to score."""


@dataclass(frozen=True)
class Separated:
    """The rows that may be used, with `near_duplicate` as the split of those that are left out; and what was found.

    `users_dropped` rows of plain users are near duplicates of held-out rows and are gone.
    """

    listings: pd.DataFrame
    found: NearDuplicates
    users_dropped: int


def separate(listings: pd.DataFrame, texts: Sequence[str], similarity: float | None) -> Separated:
    """Set apart what is near to another split. `texts` are the normalised texts of the rows; similarity None: nothing.

    Rows of plain users do not decide what is scored: they are dropped where they are near to a scored row. Raises
    `SeparationError` when no validation or no test row is left.
    """
    if similarity is None or listings.empty:
        return Separated(listings, NearDuplicates(), 0)
    shingles = Shingles.of(texts)
    split, of_users = listings["split"].to_numpy(dtype=object), (listings["origin"] == "user").to_numpy()
    train, held_out, users = (
        np.flatnonzero(rows) for rows in ((split == "train") & ~of_users, split != "train", of_users)
    )
    near = shingles.near(held_out, train, similarity)
    left_out, scored = held_out[near], held_out[~near]
    _require_rows(split[held_out], split[scored], similarity)
    counts = np.bincount(shingles.groups(similarity))
    found = NearDuplicates(
        similarity=similarity,
        groups=int((counts > 1).sum()),
        rows=int(counts[counts > 1].sum()),
        left_out={name: int((split[left_out] == name).sum()) for name in ("validation", "test")},
    )
    split[left_out] = NEAR_DUPLICATE
    dropped = users[shingles.near(users, scored, similarity)]
    kept = listings.assign(split=split).drop(listings.index[dropped]).reset_index(drop=True)
    return Separated(kept, found, len(dropped))


def _require_rows(before: np.ndarray, after: np.ndarray, similarity: float) -> None:
    for name in ("validation", "test"):
        if name in before and name not in after:
            raise SeparationError(
                f"all {int((before == name).sum()):,} {name} rows are near duplicates of train rows (similarity "
                f"{similarity}), so there is nothing to score on; set consolidation.near_duplicates to a higher "
                "similarity in the configuration, or to null to score near duplicates too"
            )
