"""Reading the challenge's files: what is read as it is, and how each fault is named."""

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


def test_codes_in_another_order_are_matched_by_their_index(folder: Path) -> None:
    (folder / "Y_train.csv").write_text(",prdtypecode\n2,1281\n0,2583\n1,1560\n")
    assert read_listings(folder)["prdtypecode"].tolist() == ["2583", "1560", "1281"]


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return apply


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
        r"Y_train\.csv, line 1: the first column must be the index, found prdtypecode",
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
        r"X_train\.csv is not well-formed csv: row 3 \(line 4\) has 7 fields, expected 5",
    ),
    "open quote": (
        edit("X_train.csv", lambda text: text.replace(b"Puzzle", b'"Puzzle')),
        r"X_train\.csv is not well-formed csv: line \d",
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
