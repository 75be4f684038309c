"""What is known of a consolidated table of listings: counts, shares, and what was done on the way."""

from pydantic import BaseModel, ConfigDict

from catalog.splits import Split


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Conflict(_Frozen):
    """One text that had several codes, and the code that was kept.

    Listings are named by their `index` values, a label that a reviewer replaced by the beginning of its `text` key.
    """

    index: tuple[str, ...] = ()
    text: str | None = None
    codes: tuple[int, ...]
    kept: int


class Conflicts(_Frozen):
    """How many texts had several codes, and some examples."""

    count: int
    examples: tuple[Conflict, ...]


class FeedbackCounts(_Frozen):
    """What became of the feedback (rows, if not said otherwise).

    `trusted` and `user` entered the table. `unknown_code`: a code that the taxonomy does not have. `simulated`: given
    by `run.py simulate` or on its listings, and left out. `labels_replaced`: texts whose label a reviewer changed.

    Of plain users: `user_held_out` are on validation or test texts or near to them, `user_labelled_better` on texts
    that have a better label, `user_over_the_cap` beyond the limit of one user, and `users_at_the_cap` counts the users
    who reached it.
    `user_over_the_share` are beyond the share of a type's train rows that plain users may have, and
    `types_at_the_share` counts the types that reached it.
    """

    given: int
    unknown_code: int
    trusted: int
    user: int
    labels_replaced: int
    user_held_out: int
    user_labelled_better: int
    user_over_the_cap: int
    users_at_the_cap: int
    # Profiles of versions that were trained before these were counted lack them.
    simulated: int = 0
    user_over_the_share: int = 0
    types_at_the_share: int = 0


class NearDuplicates(_Frozen):
    """The near duplicates among the texts of a table: `rows` rows in `groups` groups, by this similarity.

    `left_out` counts, by their split, the held-out rows that are near to a train row: they are not scored. Similarity
    None: none were searched for.
    """

    similarity: float | None = None
    groups: int = 0
    rows: int = 0
    left_out: dict[Split, int] = {}


class Profile(_Frozen):
    """The profile of a consolidated table; shares are between 0 and 1."""

    rows_read: int
    rows: int
    splits: dict[Split, int]
    empty_titles_dropped: int
    titles_cut: int
    duplicates_removed: int
    conflicts: Conflicts
    feedback: FeedbackCounts
    missing_description_share: float
    class_frequencies: dict[int, float]
    languages: dict[str, float]
    data_hash: str
    split_key: int = 0  # the version of the key that the splits follow from; older profiles lack it
    near_duplicates: NearDuplicates = NearDuplicates()

    def summary(self) -> dict[str, str | int | float]:
        """Return its single values, for people who look at the artifact in a dashboard."""
        near = self.near_duplicates
        values = {name: value for name, value in self if isinstance(value, str | int | float)}
        return {**values, "near_duplicate_groups": near.groups, "near_duplicates_left_out": sum(near.left_out.values())}
