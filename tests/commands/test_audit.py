"""`run.py audit`: suspects as rows of the user's own files, and for review."""

from pathlib import Path

import pandas as pd
import pytest

import run
from catalog.listings import read_listings
from commands.audit import COLUMNS
from commands.data import write_challenge_files
from ledger.database import open_engine, reading
from ledger.review_queue import review_queue
from tests.reports.reading import Page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listings")
    write_challenge_files(folder, 1_500, seed=4)
    return folder


def test_the_suspects_are_rows_of_the_files_and_reviewers_get_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    file, page = tmp_path / "suspects.csv", tmp_path / "page.html"
    arguments = ["audit", str(file), "--data", str(folder), "--page", str(page), "--folds", "3", "--review"]
    assert run.main(arguments) == 0
    suspects = pd.read_csv(file, dtype=str)
    assert tuple(suspects.columns) == COLUMNS
    assert len(suspects) > 20
    listings = read_listings(folder).set_index("index")
    assert listings.loc[suspects["index"], "prdtypecode"].tolist() == suspects["given_code"].tolist()
    assert (suspects["given_code"] != suspects["proposed_code"]).all()
    assert "Labels in doubt" in Page(page.read_text()).text
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with reading(engine) as connection:
        queued = review_queue(connection, "rakuten", 1_000)
    engine.dispose()
    assert {record.designation.lower() for record in queued} <= {title.lower() for title in listings["designation"]}
    assert f"{len(queued)} are new in the queue of 'rakuten', 0 were there before" in capfd.readouterr().out


def test_another_file_is_not_overwritten(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("mine\n")
    assert run.main(["audit", str(mine), "--data", str(folder)]) == 1
    assert "is no result of an earlier audit and would be lost; name another file" in capfd.readouterr().err
    assert mine.read_text() == "mine\n"


def test_codes_that_the_taxonomy_lacks_are_named(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    taxonomy = tmp_path / "shop.csv"
    taxonomy.write_text("code,label\n10,Books\n40,Games\n")
    assert run.main(["audit", str(tmp_path / "s.csv"), "--data", str(folder), "--taxonomy", str(taxonomy)]) == 1
    assert "25 codes are not in the taxonomy, such as '1140', '1160'" in capfd.readouterr().err
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize(("option", "value"), [("--folds", "1"), ("--sure", "1.5")])
def test_a_number_out_of_range_is_refused(
    option: str, value: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["audit", str(tmp_path / "s.csv"), option, value]) == 1
    assert f"error: {option}: Input should be" in capfd.readouterr().err
