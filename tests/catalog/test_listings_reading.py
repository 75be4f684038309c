"""Reading the challenge's files: what is read as it is, and how each fault is named."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.listings import ListingReadError, read_listings, source_fingerprint

X = ",designation,description,productid,imageid\n0,Piscine,<p>ronde</p>,10,100\n1,Canapé,,11,101\n2,Puzzle,bois,12,2\n"
Y = ",prdtypecode\n0,2583\n1,1560\n2,1281\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "X_train.csv").write_text(X, encoding="utf-8")
    (tmp_path / "Y_train.csv").write_text(Y, encoding="utf-8")
    return tmp_path


def test_everything_is_read_as_text_in_the_files_order(folder: Path) -> None:
    frame = read_listings(folder)
    assert list(frame.columns) == ["index", "designation", "description", "productid", "imageid", "prdtypecode"]
    assert frame["designation"].tolist() == ["Piscine", "Canapé", "Puzzle"]
    assert frame["prdtypecode"].tolist() == ["2583", "1560", "1281"]
    assert frame["description"].isna().tolist() == [False, True, False]


def test_the_challenges_own_names_come_first(folder: Path) -> None:
    (folder / "X_train_update.csv").write_text(X.replace("Piscine", "Spa"), encoding="utf-8")
    (folder / "Y_train_CVw08PX.csv").write_text(Y, encoding="utf-8")
    assert read_listings(folder)["designation"][0] == "Spa"


def test_texts_may_hold_line_breaks_quotes_and_a_megabyte(folder: Path) -> None:
    title = 'une "très\nlongue" ' + "x" * 1_000_000
    quoted = title.replace('"', '""')
    (folder / "X_train.csv").write_text(X.replace("Piscine", f'"{quoted}"'), encoding="utf-8")
    assert read_listings(folder)["designation"][0] == title


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Path) -> None:
    (folder / "X_train.csv").write_bytes(b"\xef\xbb\xbf" + X.replace("\n", "\r\n").encode())
    assert read_listings(folder)["designation"].tolist() == ["Piscine", "Canapé", "Puzzle"]


@pytest.mark.parametrize("line_end", ["\r", "\r\n", "\n\n"], ids=["CR", "CRLF", "blank lines"])
def test_all_line_ends_are_read(folder: Path, line_end: str) -> None:
    for name, content in (("X_train.csv", X), ("Y_train.csv", Y)):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + content.replace("\n", line_end).encode())
    assert read_listings(folder)["prdtypecode"].tolist() == ["2583", "1560", "1281"]


def test_compressed_files_are_read_and_are_the_same_source(folder: Path) -> None:
    plain, fingerprint = read_listings(folder), source_fingerprint(folder)
    for name in ("X_train.csv", "Y_train.csv"):
        compress(folder / name)
    assert read_listings(folder).equals(plain)
    assert source_fingerprint(folder) == fingerprint


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (",index,designation,description,productid,imageid", "99,{},t,,1,1"),
        ("designation,index,imageid,description,productid", "t,{},1,,1"),
        ("row,designation,description,productid,imageid,index,", "9,t,,1,1,{},"),
    ],
)
def test_a_column_called_index_is_the_index(folder: Path, header: str, row: str) -> None:
    rows = [row.format(number) for number in (2, 0, 1)]
    (folder / "X_train.csv").write_text("\n".join([header, *rows]))
    frame = read_listings(folder)
    assert frame["index"].tolist() == ["2", "0", "1"]
    assert frame["prdtypecode"].tolist() == ["1281", "2583", "1560"]


def test_codes_are_written_as_the_taxonomy_writes_them(folder: Path) -> None:
    (folder / "Y_train.csv").write_text(f",prdtypecode\n0,0101\n1, 7\n2,{'9' * 30}\n")
    assert read_listings(folder)["prdtypecode"].tolist() == ["101", "7", "9" * 30]


def test_codes_in_another_order_are_matched_by_their_index(folder: Path) -> None:
    (folder / "Y_train.csv").write_text(",prdtypecode\n2,1281\n0,2583\n1,1560\n")
    assert read_listings(folder)["prdtypecode"].tolist() == ["2583", "1560", "1281"]


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return apply


def ending_in_a_comma(text: bytes) -> bytes:
    header, _, rows = text.partition(b"\n")
    return header + b"\n" + rows.replace(b"\n", b",\n")


def compress(path: Path, size: int | None = None) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:size])
    path.unlink()


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (
        lambda folder: (folder / "Y_train.csv").unlink(),
        r"has no file Y_train_CVw08PX\.csv or Y_train\.csv",
    ),
    "empty file": (edit("X_train.csv", lambda _: b""), r"X_train\.csv is empty, expected a header and rows"),
    "header alone": (edit("Y_train.csv", lambda text: text[:13]), r"Y_train\.csv has a header and no rows"),
    "missing column": (
        edit("X_train.csv", lambda text: text.replace(b"designation", b"title")),
        r"X_train\.csv, line 1: the column designation is missing; found .*title",
    ),
    "no index column": (
        edit("Y_train.csv", lambda _: b"prdtypecode,x\n2583,0\n"),
        r"Y_train\.csv, line 1: expected a column called index, or .* first column; found prdtypecode, x",
    ),
    "not UTF-8": (
        edit("X_train.csv", lambda text: text.decode().encode("latin-1")),
        r"X_train\.csv, line 3: byte 0xe9 is not UTF-8",
    ),
    "NUL byte": (edit("X_train.csv", lambda text: text.replace(b"Puz", b"P\0z")), r"X_train\.csv, line 4: a NUL byte"),
    "semicolons": (
        edit("X_train.csv", lambda text: text.replace(b",", b";")),
        r"X_train\.csv, line 1: the columns are separated by semicolons, expected commas",
    ),
    "tabs": (edit("Y_train.csv", lambda text: text.replace(b",", b"\t")), r"separated by tabs, expected commas"),
    "ragged row": (
        edit("X_train.csv", lambda text: text.replace(b"bois,12", b"bois,12,13,14")),
        r"X_train\.csv, row 3 \(line 4\): 7 fields found, 5 expected as in the header; a text with a comma",
    ),
    "open quote": (
        edit("X_train.csv", lambda text: text.replace(b"Puzzle", b'"Puzzle')),
        r"X_train\.csv, row 3 \(line 4\): a quote opens here and is never closed",
    ),
    "text behind a quote": (
        edit("X_train.csv", lambda text: text.replace(b"Piscine", b'"Piscine"x')),
        r"X_train\.csv, row 1 \(line 2\): there is text behind a closing quote",
    ),
    "a comma at the end of each row of both files": (
        lambda folder: [edit(name, ending_in_a_comma)(folder) for name in ("X_train.csv", "Y_train.csv")],
        r"X_train\.csv, row 1 \(line 2\): 6 fields found, 5 expected as in the header; there is a comma at its end",
    ),
    "a comma at the end of each code": (
        edit("Y_train.csv", lambda text: ending_in_a_comma(text)),
        r"Y_train\.csv, row 1 \(line 2\): 3 fields found, 2 expected as in the header; there is a comma at its end",
    ),
    "a short row": (
        edit("X_train.csv", lambda text: text.replace(b"bois,12,2", b"bois")),
        r"X_train\.csv, row 3 \(line 4\): 3 fields found, 5 expected as in the header$",
    ),
    "a short row after a quoted line break": (
        edit("X_train.csv", lambda text: text.replace(b"Piscine", b'"Pis\ncine"').replace(b"bois,12,2", b"bois")),
        r"X_train\.csv, row 3 \(line 5\): 3 fields found",
    ),
    "a column twice": (
        edit("X_train.csv", lambda text: text.replace(b"productid", b"designation")),
        r"X_train\.csv, line 1: the column designation is there twice; found \(no name\), designation,",
    ),
    "the index twice": (
        edit("Y_train.csv", lambda _: b"index,index,prdtypecode\n0,0,1\n"),
        r"Y_train\.csv, line 1: the column index is there twice",
    ),
    "not gzip": (
        lambda folder: (folder / "Y_train.csv").rename(folder / "Y_train.csv.gz"),
        r"Y_train\.csv\.gz cannot be decompressed: it is damaged, or not gzip",
    ),
    "a damaged gzip": (
        lambda folder: compress(folder / "Y_train.csv", 20),
        r"Y_train\.csv\.gz cannot be decompressed: it is damaged, or not gzip",
    ),
    "different lengths": (
        edit("Y_train.csv", lambda text: text.replace(b"2,1281\n", b"")),
        r"X_train\.csv has 3 rows and Y_train\.csv 2: each listing needs its code",
    ),
    "different index": (
        edit("Y_train.csv", lambda text: text.replace(b"2,1281", b"7,1281")),
        r"X_train\.csv, row 3: index '2' has no partner in Y_train\.csv",
    ),
    "repeated index in another order": (
        lambda folder: (
            (folder / "X_train.csv").write_text(X.replace("\n2,", "\n1,")),
            (folder / "Y_train.csv").write_text(",prdtypecode\n1,1\n0,2\n1,3\n"),
        ),
        r"row 1: index '0' in X_train\.csv and '1' in Y_train\.csv",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_read_is_named(folder: Path, fault: str) -> None:
    break_it, message = FAULTS[fault]
    break_it(folder)
    with pytest.raises(ListingReadError, match=message):
        read_listings(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListingReadError, match="nowhere: there is no such folder"):
        read_listings(tmp_path / "nowhere")


def test_the_fingerprint_is_of_the_content(folder: Path) -> None:
    before = source_fingerprint(folder)
    (folder / "unrelated.txt").write_text("x")
    assert source_fingerprint(folder) == before
    edit("Y_train.csv", lambda text: text.replace(b"1281", b"1280"))(folder)
    assert source_fingerprint(folder) != before


def test_real_offers_are_read(real_listings: Path) -> None:
    frame = read_listings(real_listings)
    assert len(frame) == 35_311
    assert frame["description"].isna().all()
