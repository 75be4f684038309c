"""`run.py data`: the embedded listings as files."""

from pathlib import Path

import pytest

import run
from catalog.listings import read_listings
from catalog.synthetic import generate
from commands.data import write_challenge_files


def test_the_files_have_the_names_of_the_challenge(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["data", str(tmp_path / "out"), "--size", "250"]) == 0
    assert "X_train_update.csv (250 synthetic listings)" in capfd.readouterr().out
    assert len((tmp_path / "out" / "Y_train_CVw08PX.csv").read_text().splitlines()) == 251


def test_real_files_are_written_over_only_when_forced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "X_train_update.csv"
    mine.write_text("mine")
    assert run.main(["data", str(tmp_path), "--size", "250"]) == 1
    told = " ".join(capfd.readouterr().err.split())
    assert "X_train_update.csv is there already, and is not what would be written" in told
    assert "write over it with --force" in told
    assert mine.read_text() == "mine"
    assert run.main(["data", str(tmp_path), "--size", "250", "--force"]) == 0
    assert mine.read_text() != "mine"


def test_written_files_are_read_back_unchanged(tmp_path: Path) -> None:
    write_challenge_files(tmp_path / "new", 300, seed=1)
    read, made = read_listings(tmp_path / "new"), generate(300, seed=1)
    assert read["designation"].tolist() == made["designation"].tolist()
    assert read["description"].fillna("").tolist() == made["description"].fillna("").tolist()
    assert read["prdtypecode"].astype(int).tolist() == made["prdtypecode"].tolist()


def test_written_files_have_the_challenges_names_and_headers(tmp_path: Path) -> None:
    listings, codes = write_challenge_files(tmp_path, 200)
    assert {path.name for path in tmp_path.iterdir()} == {"X_train_update.csv", "Y_train_CVw08PX.csv"}
    assert listings.read_text(encoding="utf-8").startswith(",designation,description,productid,imageid\n0,")
    assert codes.read_text(encoding="utf-8").startswith(",prdtypecode\n0,")


@pytest.mark.parametrize("name", ["X_train_update.csv", "X_train.csv", "Y_train_CVw08PX.csv", "Y_train.csv.gz"])
def test_other_listings_are_not_overwritten_or_hidden(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=f"{name} is there already, and is not what would be written"):
        write_challenge_files(tmp_path, 200)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]
    write_challenge_files(tmp_path, 200, overwrite=True)
    assert len(read_listings(tmp_path)) == 200


def test_the_same_listings_may_be_written_again(tmp_path: Path) -> None:
    assert write_challenge_files(tmp_path, 200) == write_challenge_files(tmp_path, 200)


def test_a_failed_write_leaves_the_old_files_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listings, _ = write_challenge_files(tmp_path, 200)
    before = listings.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_challenge_files(tmp_path, 300, overwrite=True)
    assert listings.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
