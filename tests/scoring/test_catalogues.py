"""What is read as a catalogue, whatever program has written it, and what is refused."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from scoring.catalogue import find_files, open_file
from scoring.columns import CatalogueError, Wanted
from scoring.job import Job
from scoring.journal import Entry
from scoring.place import AddressError, find_system
from scoring.scorer import Task
from scoring.shards import Shard, cut
from tests.scoring.conftest import Scoring, here
from tests.scoring.test_run import rows

LISTINGS = b'index,designation,description\n1,Piscine,"bleue\r\net ronde"\n2,Lampe,\n'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LISTINGS.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r"), id="line ends of Windows"),
        pytest.param(b"\xef\xbb\xbf" + LISTINGS, id="byte order mark"),
        pytest.param(b'\xef\xbb\xbf"index"' + LISTINGS[5:], id="byte order mark before a quote"),
        pytest.param(b"\n\n" + LISTINGS + b"\n\n", id="blank lines"),
        pytest.param(LISTINGS[:-1], id="no line end at the end"),
    ],
)
def test_the_same_listings_written_in_other_ways_have_the_same_answers(
    scoring: Scoring, tmp_path: Path, content: bytes
) -> None:
    for name, written in (("plain", LISTINGS), ("other", content)):
        (tmp_path / f"{name}.csv").write_bytes(written)
        scoring.run(tmp_path / f"{name}.csv", tmp_path / f"{name}-out.csv", keep=("description",))
    assert rows(tmp_path / "other-out.csv") == rows(tmp_path / "plain-out.csv")
    assert [row["description"] for row in rows(tmp_path / "plain-out.csv")] == ["bleue\r\net ronde", ""]
    assert rows(tmp_path / "other-out.csv.rejected.csv") == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "index;designation\n", "the columns are separated by semicolons, expected commas"),
        ("a.csv", "", "is empty, expected a header and rows"),
        ("a.csv", "sku,name\n1,Piscine\n", "has no column 'index'; name it with --id COLUMN; found sku, name"),
        ("a.csv", "index,index,designation\n", "the column 'index' is there twice"),
        ("a.csv.gz", "", r"only \.csv and \.parquet files can be scored; decompress or convert it first"),
        ("a.parquet", "PAR1", "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(CatalogueError, match=message):
        [open_file(address, Wanted()) for address in find_files(str(tmp_path))]


def test_only_paths_and_addresses_of_s3_can_be_used() -> None:
    with pytest.raises(AddressError, match="only paths and addresses of S3"):
        find_system("http://somewhere/catalogue.csv")


def test_a_catalogue_without_rows_has_an_output_without_rows(scoring: Scoring, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("index,designation\n")
    scoring.run(tmp_path / "empty.csv", tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert (len(found), found.columns[0]) == (0, "id")


def test_a_large_row_group_of_parquet_is_cut_and_small_ones_are_put_together(
    scoring: Scoring, catalogue: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(catalogue, dtype="str")
    for name, size in (("one", 300), ("many", 7)):
        table.to_parquet(tmp_path / f"{name}.parquet", row_group_size=size)
    one, many = ([open_file(str(tmp_path / f"{name}.parquet"), Wanted())] for name in ("one", "many"))
    assert [(shard.start, shard.end) for shard in cut(one, 4)] == [
        (start, min(start + 40, 300)) for start in range(0, 300, 40)
    ]
    assert [shard.end for shard in cut(many, 50)] == [56, 112, 168, 224, 280, 300]
    scoring.run(catalogue, tmp_path / "expected.csv")
    for name, size in (("one", 4), ("many", 50)):
        scoring.run(tmp_path / f"{name}.parquet", tmp_path / f"{name}.csv", rows=size)
        assert (tmp_path / f"{name}.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_a_value_of_parquet_that_is_not_utf8_rejects_its_row_only(scoring: Scoring, tmp_path: Path) -> None:
    titles = pa.array([b"Piscine", b"caf\xe9", b"Lampe"], pa.binary())
    table = pa.table({"index": [1, 2, 3], "designation": titles})
    parquet.write_table(table, tmp_path / "in.parquet")
    scoring.run(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert [row["id"] for row in rows(tmp_path / "out.csv")] == ["1", "3"]
    (rejected,) = rows(tmp_path / "out.csv.rejected.csv")
    assert (rejected["line"], rejected["reason"]) == ("2", "byte 0xe9 is not UTF-8")


def test_folders_in_a_folder_are_read_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("b/2.csv", "a.CSV", "_journal/3.csv", ".parts/4.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(LISTINGS)
    assert find_files(str(tmp_path)) == [str(tmp_path / "a.CSV"), str(tmp_path / "b" / "2.csv")]


def test_a_catalogue_that_changes_during_the_run_is_not_called_done(
    scoring: Scoring, catalogue: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(catalogue.read_bytes())

    def changing(job: Job, task: Task, shards: Iterable[Shard]) -> Iterator[Entry]:
        yield from here(job, task, shards)
        mine.write_bytes(LISTINGS)

    with pytest.raises(CatalogueError, match="has changed during the run: remove the output and begin anew"):
        scoring.run(mine, tmp_path / "out.csv", engine=changing)
    assert not (tmp_path / "out.csv").exists()
