"""The listing table: reading the challenge's files, and making one clean, hashed, split table of listings and
feedback."""

import csv
import hashlib
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from catalog.contract import CONTRACT
from catalog.language import detect_language
from catalog.text import normalise

LISTING_FILES = ("X_train_update.csv", "X_train.csv")
CODE_FILES = ("Y_train_CVw08PX.csv", "Y_train.csv")
TRUSTED_ROLES = ("reviewer", "admin")
SPLITS = ("train", "validation", "test")
_EXAMPLES = 20  # of conflicts in the profile
_TRAIN, _VALIDATION = 0.8, 0.9  # where the splits end; never change them: rows would wander into the test split


class ListingReadError(ValueError):
    """A file of listings cannot be read."""


class ConsolidationRules(BaseModel):
    """How feedback joins the listings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_feedback_per_user: int = Field(200, ge=0)


@dataclass(frozen=True)
class Consolidation:
    """The clean table, and what was found and done on the way, as JSON-able values."""

    listings: pd.DataFrame
    profile: dict[str, Any]


def read_listings(directory: Path) -> pd.DataFrame:
    """Read the challenge's two files as they are: every column text, in the contract's order, rows in the file's order.

    A missing description is None, an empty title an empty string. Raises `ListingReadError` naming file, line and what
    was expected.
    """
    paths = find_files(directory)
    listings = _read(paths[0], ("designation", "description", "productid", "imageid"))
    codes = _read(paths[1], ("prdtypecode",))
    if len(listings) != len(codes):
        rows = f"{paths[0].name} has {len(listings):,} rows and {paths[1].name} {len(codes):,}"
        raise ListingReadError(f"{rows}: each listing needs its code")
    listings["prdtypecode"] = _align(listings["index"], codes, paths)
    listings["description"] = listings["description"].where(listings["description"] != "", None)
    return listings[list(CONTRACT.columns)]


def find_files(directory: Path) -> tuple[Path, Path]:
    """Return the files of listings and of codes in a folder. Raises `ListingReadError` where one is missing."""
    return _find(directory, LISTING_FILES), _find(directory, CODE_FILES)


def source_fingerprint(directory: Path) -> str:
    """Return one SHA-256 over the names and bytes of the two files. Raises `ListingReadError` where one is missing."""
    digest = hashlib.sha256()
    for path in find_files(directory):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(_bytes(path)).digest())
    return digest.hexdigest()


def consolidate(
    raw: pd.DataFrame, feedback: pd.DataFrame, codes: Collection[int], rules: ConsolidationRules
) -> Consolidation:
    """Return one row a text: normalised, de-duplicated, joined with feedback by trust, in its split for ever.

    Args:
        raw: listings that passed the gate, as `read_listings` gives them.
        feedback: columns designation, description, prdtypecode, given_by, role, given_at (UTC), any number of rows.
        codes: the codes of the taxonomy; feedback with another one is left out.
        rules: how feedback joins.

    The table is sorted by `text_key`, so neither the files' order nor the time of day shows in it.
    """
    titled = raw[raw["designation"].fillna("").str.strip() != ""]
    own = pd.DataFrame(
        {
            "index": titled["index"],
            "designation": titled["designation"].str.slice(stop=CONTRACT.title_limit),
            "description": titled["description"].where(titled["description"].notna(), None),
            "prdtypecode": titled["prdtypecode"].astype("int64"),
            "origin": "listing",
            "given_at": pd.Series(pd.NaT, index=titled.index, dtype="datetime64[us, UTC]"),
        }
    ).reset_index(drop=True)
    own["text_key"] = _text_keys(own)
    kept, conflicts = _majority(own)
    trusted, untrusted, counts = _by_trust(feedback, codes)
    kept, replaced = _join_trusted(kept, trusted)
    users = _choose_users_rows(untrusted, set(kept["text_key"]), rules, counts)
    columns = ["text_key", "designation", "description", "prdtypecode", "origin", "given_at"]
    parts = [part[columns] for part in (kept, users) if len(part)]
    listings = pd.concat(parts, ignore_index=True).sort_values("text_key", ignore_index=True)
    listings["split"] = listings["text_key"].map(split_of)
    listings["language"] = [
        detect_language(f"{title} {text or ''}")
        for title, text in zip(listings["designation"], listings["description"], strict=True)
    ]
    listings["given_at"] = listings["given_at"].astype("datetime64[us, UTC]")
    counts["trusted"] = int((listings["origin"] == "reviewed").sum())
    counts["user"] = int((listings["origin"] == "user").sum())
    counts["labels_replaced"] = len(replaced)
    profile = {
        "rows_read": len(raw),
        "rows": len(listings),
        "splits": {split: int((listings["split"] == split).sum()) for split in SPLITS},
        "empty_titles_dropped": len(raw) - len(titled),
        "titles_cut": int((titled["designation"].str.len() > CONTRACT.title_limit).sum()),
        "duplicates_removed": int(own["text_key"].duplicated().sum()),
        "conflicts": {"count": len(conflicts) + len(replaced), "examples": [*replaced, *conflicts][:_EXAMPLES]},
        "feedback": counts,
        "missing_description_share": float(listings["description"].isna().mean()),
        "class_frequencies": {
            str(code): float(share)
            for code, share in listings["prdtypecode"].value_counts(normalize=True).sort_index().items()
        },
        "languages": {
            str(language): float(share)
            for language, share in listings["language"].value_counts(normalize=True).sort_index().items()
        },
        "data_hash": content_hash(listings),
    }
    return Consolidation(listings, profile)


def content_hash(listings: pd.DataFrame) -> str:
    """Return a SHA-256 over text, code, split and origin of every row; the same on every machine."""
    columns = ("text_key", "prdtypecode", "split", "origin")
    rows = zip(*(listings[column].astype("str") for column in columns), strict=True)
    return hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()


def split_of(text_key: str) -> str:
    """Return the split of a text: 80 % train, 10 % validation, 10 % test, from its key alone.

    No other row has a say, so a text stays where it is as data grows and no text is in two splits.
    """
    position = int(text_key[:16], 16) / 16**16
    return SPLITS[0] if position < _TRAIN else SPLITS[1] if position < _VALIDATION else SPLITS[2]


def text_key(title: str, description: str | None) -> str:
    """Return the identity of a listing's text: a SHA-256 of both normalised fields."""
    return hashlib.sha256(f"{normalise(title)}\x1f{normalise(description or '')}".encode()).hexdigest()


def _text_keys(frame: pd.DataFrame) -> list[str]:
    texts = zip(frame["designation"], frame["description"], strict=True)
    return [text_key(title, text if isinstance(text, str) else None) for title, text in texts]


def _majority(own: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Keep one row a text: of several codes the most frequent one, of equals the earliest."""
    repeated = own[own["text_key"].duplicated(keep=False)]
    disputed = repeated.groupby("text_key")["prdtypecode"].transform("nunique") > 1
    conflicts: list[dict[str, Any]] = []
    chosen = []
    for _, rows in repeated[disputed].groupby("text_key", sort=True):
        votes = rows["prdtypecode"].value_counts(sort=False)
        winners = votes.index[votes == votes.max()]
        winner = rows[rows["prdtypecode"].isin(winners)].iloc[0]
        chosen.append(winner.name)
        conflicts.append(
            {
                "index": [str(index) for index in rows["index"]],
                "codes": [int(code) for code in rows["prdtypecode"]],
                "kept": int(winner["prdtypecode"]),
            }
        )
    settled = own.drop(repeated[disputed].index).drop_duplicates("text_key")
    return pd.concat([settled, own.loc[chosen]]), conflicts


def _by_trust(feedback: pd.DataFrame, codes: Collection[int]) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Return trusted and plain users' corrections, each with its text key, oldest first, and the counts so far."""
    known = feedback[feedback["prdtypecode"].isin(list(codes))].sort_values("given_at", kind="stable")
    known = known.assign(text_key=_text_keys(known), prdtypecode=known["prdtypecode"].astype("int64"))
    known["given_at"] = pd.to_datetime(known["given_at"], utc=True)
    trusted = known["role"].isin(TRUSTED_ROLES)
    counts = {"given": len(feedback), "unknown_code": len(feedback) - len(known)}
    return known[trusted], known[~trusted], counts


def _join_trusted(kept: pd.DataFrame, trusted: pd.DataFrame) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Let the newest trusted correction of a text stand for it; return the labels that it replaced."""
    newest = trusted.drop_duplicates("text_key", keep="last").assign(origin="reviewed")
    before = kept.set_index("text_key")["prdtypecode"]
    replaced = [
        {"text": key[:12], "codes": [int(before[key]), int(code)], "kept": int(code)}
        for key, code in zip(newest["text_key"], newest["prdtypecode"], strict=True)
        if key in before.index and before[key] != code
    ]
    rest = kept[~kept["text_key"].isin(newest["text_key"])]
    return (pd.concat([rest, newest]) if len(newest) else rest), replaced


def _choose_users_rows(
    untrusted: pd.DataFrame, taken: set[str], rules: ConsolidationRules, counts: dict[str, int]
) -> pd.DataFrame:
    """Return one row a text from plain users: never over a better label, and not too many of one user."""
    held_out = untrusted["text_key"].map(split_of) != "train"
    labelled = untrusted["text_key"].isin(taken)
    usable = untrusted[~held_out & ~labelled]
    # One word a user and text, the newest; otherwise one user would be a majority by repeating himself.
    usable = usable.drop_duplicates(["given_by", "text_key"], keep="last")
    capped = usable.groupby("given_by", sort=False).tail(rules.max_feedback_per_user)
    counts["user_held_out"] = int(held_out.sum())
    counts["user_labelled_better"] = int((labelled & ~held_out).sum())
    counts["user_over_the_cap"] = len(usable) - len(capped)
    counts["users_at_the_cap"] = int((usable["given_by"].value_counts() > rules.max_feedback_per_user).sum())
    votes = capped.groupby(["text_key", "prdtypecode"])["given_at"].agg(["size", "max"]).reset_index()
    best = votes.sort_values(["size", "max"], kind="stable").drop_duplicates("text_key", keep="last")
    chosen = capped.merge(best[["text_key", "prdtypecode"]], on=["text_key", "prdtypecode"])
    return chosen.drop_duplicates("text_key", keep="last").assign(origin="user")


def _find(directory: Path, names: tuple[str, ...]) -> Path:
    if not directory.is_dir():
        raise ListingReadError(f"{directory}: there is no such folder")
    for name in names:
        if (directory / name).is_file():
            return directory / name
    raise ListingReadError(f"{directory} has no file {' or '.join(names)}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ListingReadError(f"{path} cannot be read: {error.strerror}") from error


def _read(path: Path, wanted: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the two files; its first column is the index, whatever it is called."""
    content = _bytes(path)
    text = _decoded(path, content)
    header = text.split("\n", 1)[0].rstrip("\r")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header and "," not in header:
            raise ListingReadError(f"{path}, line 1: the columns are separated by {name}, expected commas")
    try:
        frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, na_filter=False)
    except pd.errors.EmptyDataError:
        raise ListingReadError(f"{path} is empty, expected a header and rows") from None
    except pd.errors.ParserError as error:
        raise ListingReadError(f"{path} is not well-formed csv: {_first_broken_row(text) or error}") from None
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        found = ", ".join(str(column) for column in frame.columns)
        raise ListingReadError(f"{path}, line 1: the column {missing[0]} is missing; found {found}")
    if frame.columns[0] in wanted:
        raise ListingReadError(f"{path}, line 1: the first column must be the index, found {frame.columns[0]}")
    if frame.empty:
        raise ListingReadError(f"{path} has a header and no rows")
    return frame.rename(columns={frame.columns[0]: "index"})[["index", *wanted]]


def _decoded(path: Path, content: bytes) -> str:
    if not content.strip():
        raise ListingReadError(f"{path} is empty, expected a header and rows")
    if (position := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, position) + 1
        raise ListingReadError(f"{path}, line {line}: a NUL byte, expected text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ListingReadError(
            f"{path}, line {line}: byte {content[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        ) from None


def _first_broken_row(text: str) -> str | None:
    """Find the row that has another number of fields than the header, or the quote that never closes."""
    limit = csv.field_size_limit(len(text) + 1)
    try:
        reader = csv.reader(io.StringIO(text), strict=True)
        width = len(next(reader))
        for number, row in enumerate(reader, start=1):
            if len(row) > width:
                return f"row {number} (line {reader.line_num}) has {len(row)} fields, expected {width}"
    except csv.Error as error:
        return f"line {reader.line_num}: {error}"
    finally:
        csv.field_size_limit(limit)
    return None


def _align(index: "pd.Series[str]", codes: pd.DataFrame, paths: tuple[Path, Path]) -> "pd.Series[str]":
    """Return the code of each listing; rows in another order are matched by a unique index."""
    if index.equals(codes["index"]):
        return codes["prdtypecode"]
    here, there = paths[0].name, paths[1].name
    alone = index[~index.isin(codes["index"])]
    if len(alone):
        row = alone.index[0] + 1
        raise ListingReadError(f"{here}, row {row}: index {alone.iloc[0]!r} has no partner in {there}")
    if index.duplicated().any() or codes["index"].duplicated().any():
        row = int((index != codes["index"]).to_numpy().argmax()) + 1
        raise ListingReadError(
            f"row {row}: index {index.iloc[row - 1]!r} in {here} and {codes['index'].iloc[row - 1]!r} in {there}, "
            "and repeated values leave it open which belong together"
        )
    return index.map(codes.set_index("index")["prdtypecode"])
