"""Reading raw listings: the challenge's two files (listings and their codes), or the embedded ones."""

import hashlib
from pathlib import Path

import pandas as pd

from catalog.contract import CONTRACT
from catalog.csv_table import CsvTableError, content_of, read_csv_table
from catalog.source import CODE_FILES, LISTING_FILES, ListingSource
from catalog.taxonomy import read_code


class ListingReadError(ValueError):
    """A file of listings cannot be read."""


def identify_source(address: str | None, folder: Path | None, size: int, seed: int) -> ListingSource:
    """Return the source of the files at an address, which are in `folder`; without one, of the embedded listings.

    Raises `ListingReadError` if the files are not there.
    """
    if address is None or folder is None:
        return ListingSource(kind="embedded", size=size, seed=seed)
    return ListingSource(kind="files", directory=address, sha256=source_fingerprint(folder))


def read_source(source: ListingSource, folder: Path | None) -> pd.DataFrame:
    """Return the raw listings of a source, every column as text; of files, those in `folder`.

    Raises `ListingReadError`.
    """
    if source.size is not None and source.seed is not None:
        from catalog.synthetic import generate

        frame = generate(source.size, source.seed)
        return frame.astype(dict.fromkeys(frame.columns.drop("description"), "str"))
    if folder is None:
        raise ListingReadError("the listings have no folder")
    return read_listings(folder)


def read_listings(directory: Path) -> pd.DataFrame:
    """Read the challenge's two files as they are: every column text, in the contract's order, rows in the file's order.

    A missing description is None, an empty title an empty string. Codes are written as the taxonomy writes them: 101
    for `0101`. Raises `ListingReadError` naming file, row and what was expected.
    """
    paths = find_files(directory)
    listings = _read(paths[0], ("designation", "description", "productid", "imageid"))
    codes = _read(paths[1], ("prdtypecode",))
    if len(listings) != len(codes):
        rows = f"{paths[0].name} has {len(listings):,} rows and {paths[1].name} {len(codes):,}"
        raise ListingReadError(f"{rows}: each listing needs its code")
    listings["prdtypecode"] = _align(listings["index"], codes, paths).map(_plain_code)
    listings["description"] = listings["description"].where(listings["description"] != "", None)
    return listings[list(CONTRACT.columns)]


def find_files(directory: Path) -> tuple[Path, Path]:
    """Return the files of listings and of codes in a folder. Raises `ListingReadError` where one is missing."""
    return _find(directory, LISTING_FILES), _find(directory, CODE_FILES)


def source_fingerprint(directory: Path) -> str:
    """Return one SHA-256 over the names and bytes of the two files, whether they are compressed or not.

    Raises `ListingReadError` where one is missing or cannot be read.
    """
    digest = hashlib.sha256()
    for path in find_files(directory):
        try:
            content = content_of(path)
        except (CsvTableError, FileNotFoundError) as error:
            raise ListingReadError(str(error)) from error
        digest.update(path.name.removesuffix(".gz").encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _find(directory: Path, names: tuple[str, ...]) -> Path:
    """Return the first file that is there, as it is or compressed."""
    if not directory.is_dir():
        raise ListingReadError(f"{directory}: there is no such folder")
    for name in names:
        for path in (directory / name, directory / f"{name}.gz"):
            if path.is_file():
                return path
    raise ListingReadError(f"{directory} has no file {' or '.join(names)} (or one of them with .gz)")


def _read(path: Path, wanted: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the two files: the wanted columns, and the index.

    The index is the column of that name. Where there is none, it is the first column, whatever it is called.
    """
    try:
        table = read_csv_table(path)
        places = _places(path, table.columns, wanted)
        rows = [[row.fields[place] for place in places] for row in table.rows]
    except (CsvTableError, FileNotFoundError) as error:
        raise ListingReadError(str(error)) from error
    if not rows:
        raise ListingReadError(f"{path} has a header and no rows")
    return pd.DataFrame(rows, columns=["index", *wanted], dtype="str")


def _places(path: Path, columns: list[str], wanted: tuple[str, ...]) -> list[int]:
    """Return where the index and the wanted columns are."""
    found = ", ".join(column or "(no name)" for column in columns)
    for column in ("index", *wanted):
        if columns.count(column) > 1:
            raise ListingReadError(f"{path}, line 1: the column {column} is there twice; found {found}")
        if column not in columns and column != "index":
            raise ListingReadError(f"{path}, line 1: the column {column} is missing; found {found}")
    if "index" not in columns and columns[0] in wanted:
        raise ListingReadError(
            f"{path}, line 1: expected a column called index, or the index as the first column; found {found}"
        )
    index = columns.index("index") if "index" in columns else 0
    return [index, *(columns.index(column) for column in wanted)]


def _plain_code(text: str) -> str:
    code = read_code(text)
    return text if code is None else str(code)  # the contract names what is not a code


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
