"""One clean table of listings and feedback: normalised, without repetition, hashed and split."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from catalog.contract import CONTRACT
from catalog.language import detect_language
from catalog.profile import Conflict, Conflicts, FeedbackCounts, Profile
from catalog.separation import separate
from catalog.split_key import KEY_VERSION, key_of
from catalog.splits import SPLITS, split_of, text_forms
from catalog.text import is_blank

_EXAMPLES = 20  # of conflicts in the profile


class ConsolidationRules(BaseModel):
    """How feedback joins the listings, and from which similarity on two texts are near duplicates (None: never)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_feedback_per_user: int = Field(200, ge=0)
    max_user_share: float = Field(0.2, ge=0, le=1, description="of a type's train rows, from all plain users together")
    include_simulated: bool = False
    near_duplicates: float | None = Field(0.6, ge=0.5, le=1, description="share of the word pairs of both texts")


@dataclass(frozen=True)
class Consolidation:
    """The clean table, and its profile."""

    listings: pd.DataFrame
    profile: Profile


@dataclass(frozen=True)
class _UsersRows:
    """The rows of plain users that enter the table, and what became of the others."""

    rows: pd.DataFrame
    held_out: int
    labelled_better: int
    over_the_cap: int
    at_the_cap: int
    over_the_share: int
    at_the_share: int


def consolidate(
    raw: pd.DataFrame, feedback: pd.DataFrame, codes: Collection[int], rules: ConsolidationRules
) -> Consolidation:
    """Return one row per text: normalised, without repetition, joined with feedback by trust, in its split.

    Held-out rows that are near duplicates of train rows have the split `near_duplicate` (`catalog.separation`).

    Args:
        raw: listings that passed the gate, as `read_listings` returns them.
        feedback: columns prediction_id, designation, description, prdtypecode, given_by, role, given_at (UTC),
            simulated, trusted and sampled (bool), any number of rows.
        codes: the codes of the taxonomy; feedback with another code is left out.
        rules: how feedback joins.

    The table is sorted by `text_key`, so it depends neither on the order of the files nor on the time of day. Raises
    `SeparationError` when all rows that could be scored are near duplicates of train rows.
    """
    own, empty_titles, titles_cut = _own_rows(raw)
    kept, conflicts = _majority(own)
    known = _with_known_codes(feedback, codes)
    simulated = known["simulated"].astype(bool) & (not rules.include_simulated)
    trusted = known["trusted"].astype(bool)
    kept, replaced = _join_trusted(kept, known[trusted & ~simulated])
    users = _choose_users_rows(known[~trusted & ~simulated], kept, rules)
    table = _table([kept, users.rows])
    separated = separate(table.drop(columns="text_form"), table["text_form"].tolist(), rules.near_duplicates)
    listings = separated.listings
    origins = listings["origin"].value_counts()
    profile = Profile(
        rows_read=len(raw),
        rows=len(listings),
        splits={split: int((listings["split"] == split).sum()) for split in SPLITS},
        empty_titles_dropped=empty_titles,
        titles_cut=titles_cut,
        duplicates_removed=int(own["text_key"].duplicated().sum()),
        conflicts=Conflicts(count=len(conflicts) + len(replaced), examples=tuple([*replaced, *conflicts][:_EXAMPLES])),
        feedback=FeedbackCounts(
            given=len(feedback),
            unknown_code=len(feedback) - len(known),
            trusted=int(origins.get("reviewed", 0)),
            user=int(origins.get("user", 0)),
            labels_replaced=len(replaced),
            user_held_out=users.held_out + separated.users_dropped,
            user_labelled_better=users.labelled_better,
            user_over_the_cap=users.over_the_cap,
            users_at_the_cap=users.at_the_cap,
            simulated=int(simulated.sum()),
            user_over_the_share=users.over_the_share,
            types_at_the_share=users.at_the_share,
        ),
        missing_description_share=float(listings["description"].isna().mean()),
        class_frequencies=listings["prdtypecode"].value_counts(normalize=True).sort_index().to_dict(),
        languages=listings["language"].value_counts(normalize=True).sort_index().to_dict(),
        data_hash=content_hash(listings),
        split_key=KEY_VERSION,
        near_duplicates=separated.found,
    )
    return Consolidation(listings, profile)


def content_hash(listings: pd.DataFrame) -> str:
    """Return a SHA-256 over text, code, split and origin of every row; the same on every machine."""
    columns = ("text_key", "prdtypecode", "split", "origin")
    rows = zip(*(listings[column].astype("str") for column in columns), strict=True)
    return hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()


def _own_rows(raw: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Return the listings that have a title, with their text keys; and how many titles were empty, and cut."""
    titled = raw[~raw["designation"].map(is_blank).astype(bool)]
    own = pd.DataFrame(
        {
            "index": titled["index"],
            "designation": titled["designation"].str.slice(stop=CONTRACT.title_limit),
            "description": titled["description"].where(titled["description"].notna(), None),
            "prdtypecode": titled["prdtypecode"].astype("int64"),
            "origin": "listing",
            "sampled": False,
            "prediction_id": None,
            "given_at": pd.Series(pd.NaT, index=titled.index, dtype="datetime64[us, UTC]"),
        }
    ).reset_index(drop=True)
    own["text_form"] = text_forms(own)
    own["text_key"] = own["text_form"].map(key_of)
    return own, len(raw) - len(titled), int((titled["designation"].str.len() > CONTRACT.title_limit).sum())


def _table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the parts as one table, sorted by text key, with the split and the language of each row."""
    columns = [
        "text_key", "text_form", "designation", "description", "prdtypecode", "origin", "prediction_id", "given_at",
        "sampled",
    ]  # fmt: skip
    filled = [part[columns] for part in parts if len(part)]
    listings = pd.concat(filled, ignore_index=True).sort_values("text_key", ignore_index=True)
    listings["split"] = listings["text_key"].map(split_of)
    listings["language"] = [
        detect_language(f"{title} {text or ''}")
        for title, text in zip(listings["designation"], listings["description"], strict=True)
    ]
    listings["given_at"] = listings["given_at"].astype("datetime64[us, UTC]")
    return listings


def _majority(own: pd.DataFrame) -> tuple[pd.DataFrame, list[Conflict]]:
    """Keep one row per text: of several codes the most frequent one, of equally frequent ones the earliest."""
    repeated = own[own["text_key"].duplicated(keep=False)]
    disputed = repeated.groupby("text_key")["prdtypecode"].transform("nunique") > 1
    conflicts: list[Conflict] = []
    chosen = []
    for _, rows in repeated[disputed].groupby("text_key", sort=True):
        votes = rows["prdtypecode"].value_counts(sort=False)
        winners = votes.index[votes == votes.max()]
        winner = rows[rows["prdtypecode"].isin(winners)].iloc[0]
        chosen.append(winner.name)
        conflicts.append(
            Conflict(
                index=tuple(rows["index"].astype("str")),
                codes=tuple(rows["prdtypecode"].tolist()),
                kept=int(winner["prdtypecode"]),
            )
        )
    settled = own.drop(repeated[disputed].index).drop_duplicates("text_key")
    return pd.concat([settled, own.loc[chosen]]), conflicts


def _with_known_codes(feedback: pd.DataFrame, codes: Collection[int]) -> pd.DataFrame:
    """Return the feedback whose code the taxonomy has, oldest first, with its text keys."""
    known = feedback[feedback["prdtypecode"].isin(list(codes))].sort_values("given_at", kind="stable")
    known = known.assign(text_form=text_forms(known), prdtypecode=known["prdtypecode"].astype("int64"))
    known["text_key"] = known["text_form"].map(key_of)
    known["given_at"] = pd.to_datetime(known["given_at"], utc=True)
    return known


def _join_trusted(kept: pd.DataFrame, trusted: pd.DataFrame) -> tuple[pd.DataFrame, list[Conflict]]:
    """Replace the row of a text by its newest trusted correction; return the labels that were replaced too."""
    newest = trusted.drop_duplicates("text_key", keep="last").assign(origin="reviewed")
    # Any of its predictions: that none of the others was reviewed may have depended on the model's confidence.
    newest["sampled"] = newest["text_key"].isin(trusted.loc[trusted["sampled"].astype(bool), "text_key"])
    before = kept.set_index("text_key")["prdtypecode"]
    replaced = [
        Conflict(text=key[:12], codes=(int(before[key]), int(code)), kept=int(code))
        for key, code in zip(newest["text_key"], newest["prdtypecode"], strict=True)
        if key in before.index and before[key] != code
    ]
    rest = kept[~kept["text_key"].isin(newest["text_key"])]
    return (pd.concat([rest, newest]) if len(newest) else rest), replaced


def _choose_users_rows(untrusted: pd.DataFrame, kept: pd.DataFrame, rules: ConsolidationRules) -> _UsersRows:
    """Choose one row per text from plain users: only on train texts without a label, and not too many.

    Of one user the newest rows are taken, and of each type the newest ones, so that any number of accounts can only
    make a limited share of it.
    """
    held_out = untrusted["text_key"].map(split_of) != "train"
    has_label = untrusted["text_key"].isin(kept["text_key"])
    # Only the newest feedback of a user on a text: otherwise one user would be a majority by repetition.
    usable = untrusted[~held_out & ~has_label].drop_duplicates(["given_by", "text_key"], keep="last")
    capped = usable.groupby("given_by", sort=False).tail(rules.max_feedback_per_user)
    votes = capped.groupby(["text_key", "prdtypecode"])["given_at"].agg(["size", "max"]).reset_index()
    best = votes.sort_values(["size", "max"], kind="stable").drop_duplicates("text_key", keep="last")
    chosen = capped.merge(best[["text_key", "prdtypecode"]], on=["text_key", "prdtypecode"])
    chosen = chosen.drop_duplicates("text_key", keep="last").assign(origin="user", sampled=False)
    rows = _within_share(chosen, kept, rules.max_user_share)
    return _UsersRows(
        rows=rows,
        held_out=int(held_out.sum()),
        labelled_better=int((has_label & ~held_out).sum()),
        over_the_cap=len(usable) - len(capped),
        at_the_cap=int((usable["given_by"].value_counts() > rules.max_feedback_per_user).sum()),
        over_the_share=len(chosen) - len(rows),
        at_the_share=chosen.loc[chosen.index.difference(rows.index), "prdtypecode"].nunique(),
    )


def _within_share(chosen: pd.DataFrame, kept: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the newest of the chosen rows: of each type so many that they are this share of its train rows."""
    if share == 1:
        return chosen
    train = kept.loc[kept["text_key"].map(split_of) == "train", "prdtypecode"].value_counts()
    allowed = chosen["prdtypecode"].map(train).fillna(0) * share / (1 - share)
    newest_first = chosen.sort_values(["given_at", "text_key"], ascending=[False, True], kind="stable")
    place = newest_first.groupby("prdtypecode").cumcount()
    return chosen[place.reindex(chosen.index) + 1 <= allowed + 1e-9]
