"""Reading raw listings: the challenge's two files (listings and their codes), or the embedded ones."""

import csv
import hashlib
import io
from pathlib import Path

import pandas as pd

from catalog.contract import CONTRACT
from catalog.source import ListingSource

LISTING_FILES = ("X_train_update.csv", "X_train.csv")
CODE_FILES = ("Y_train_CVw08PX.csv", "Y_train.csv")


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
