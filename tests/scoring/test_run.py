"""A catalogue is scored exactly once, with the answers of the served model, whatever interrupts the run."""

import csv
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from catalog.language import detect_language
from catalog.predictor import Predictor
from scoring.job import Job, JobError
from scoring.journal import Entry
from scoring.lease import OccupiedError, held
from scoring.local import score_into
from scoring.place import Place
from scoring.scorer import Scorer, Task
from scoring.shards import Shard
from tests.architecture.test_processes import NOT_IN_A_SERVING_PROCESS, run_without
from tests.scoring.conftest import Scoring, here


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_has_the_answer_of_the_served_model_to_the_last_digit(
    scoring: Scoring, catalogue: Path, predictor: Predictor, tmp_path: Path
) -> None:
    totals = scoring.run(
        catalogue, tmp_path / "out.csv", engine=partial(score_into, workers=2), top=2, keep=("productid",)
    )
    listings, answers = rows(catalogue), rows(tmp_path / "out.csv")
    assert (totals.rows, totals.rejected, totals.shards) == (300, 0, 8)
    assert [answer["id"] for answer in answers] == [listing["index"] for listing in listings]
    for listing, answer in zip(listings, answers, strict=True):
        found = predictor.predict_top_k(listing["designation"], listing["description"], k=2)
        second = found.top_k[1]
        assert answer == {
            "id": listing["index"], "code": str(found.code), "label": found.label, "confidence": repr(found.confidence),
            "abstained": str(found.abstained).lower(),
            "novelty": str(found.novelty).lower(),
            "language": detect_language(f"{listing['designation']} {listing['description']}"), "model_version": "7",
            "code_2": str(second[0]), "label_2": second[1], "confidence_2": repr(second[2]),
            "productid": listing["productid"],
        }  # fmt: skip


def test_a_worker_loads_no_training_library(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from scoring.catalogue import open_file
from scoring.columns import Wanted
from scoring.local import score_into
from scoring.scorer import Scorer, Task
from scoring.shards import cut
task = Task(Path({str(scoring.source / "model")!r}), Path({str(scoring.source)!r}), "csv", 1, (), True)
(shard,) = cut([open_file({str(catalogue)!r}, Wanted())], 1_000)
assert Scorer(task).score(shard).entry.rows == 300
"""
    run_without(NOT_IN_A_SERVING_PROCESS, script)


def test_csv_and_parquet_and_a_folder_hold_the_same_answers(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    table = pd.read_csv(catalogue, dtype="str")
    table[:100].to_csv(folder / "a.csv", index=False)
    table[100:].to_parquet(folder / "b.parquet", row_group_size=30)
    scoring.run(catalogue, tmp_path / "out.csv")
    scoring.run(folder, tmp_path / "out.parquet")
    scoring.run(folder, tmp_path / "parts")
    expected = pd.read_csv(tmp_path / "out.csv", dtype={"id": "str", "language": "str", "model_version": "str"})
    for found in (
        pd.read_parquet(tmp_path / "out.parquet"),
        pd.concat(map(pd.read_parquet, sorted((tmp_path / "parts").glob("part-*.parquet")))),
    ):
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected, check_dtype=False)


def test_a_process_that_has_the_code_of_the_bento_already_keeps_its_modules(scoring: Scoring, tmp_path: Path) -> None:
    before = sys.modules["catalog.predictor"]
    Scorer(scoring.task(tmp_path / "out.csv"))
    assert sys.modules["catalog.predictor"] is before


def test_a_row_that_cannot_be_used_is_listed_with_its_line_and_the_others_are_scored(
    scoring: Scoring, tmp_path: Path
) -> None:
    catalogue = tmp_path / "listings.csv"
    catalogue.write_bytes(
        b"index,designation,description\n1,Piscine,\n2, ,x\n3,Coussin\n4,caf\xe9,\n5,nul\0,\n"
        + b'6,"two\nlines",\n7,' + b"x" * 10_001 + b",\n8,Lampe,fin\n"
    )  # fmt: skip
    totals = scoring.run(catalogue, tmp_path / "out.csv")
    assert [answer["id"] for answer in rows(tmp_path / "out.csv")] == ["1", "6", "8"]
    assert (totals.rows, totals.rejected, totals.rejected_share) == (3, 5, 5 / 8)
    assert [(row["line"], row["reason"]) for row in rows(tmp_path / "out.csv.rejected.csv")] == [
        ("3", "there is no title"),
        ("4", "2 fields found, 3 expected as in the header"),
        ("5", "byte 0xe9 is not UTF-8"),
        ("6", "there is a NUL character"),
        ("9", "the title has 10,001 characters, more than 10,000"),
    ]


class Interrupted(Exception):
    """The run ends here."""


@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "parts"])
def test_an_interrupted_run_goes_on_where_it_was_and_ends_with_the_same_bytes(
    scoring: Scoring, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    def content(path: Path) -> dict[str, bytes]:
        files = [path, *path.parent.glob("*.rejected.csv")] if path.is_file() else sorted(path.rglob("*.*"))
        return {file.name: file.read_bytes() for file in files if file.is_file()}

    (tmp_path / "whole").mkdir()
    scoring.run(catalogue, tmp_path / "whole" / out)

    (tmp_path / "broken").mkdir()
    broken = tmp_path / "broken" / out
    with monkeypatch.context() as patch:
        store = Job.store
        stored: list[int] = []

        def store_three(job: Job, part: object) -> None:
            if len(stored) == 3:
                raise Interrupted
            store(job, part)  # type: ignore[arg-type]
            stored.append(part.entry.shard)  # type: ignore[attr-defined]

        patch.setattr(Job, "store", store_three)
        with pytest.raises(Interrupted):
            scoring.run(catalogue, broken)
    place = Path(f"{broken}.parts") if broken.suffix else broken
    damaged = next(place.glob("part-*"))
    damaged.write_bytes(damaged.read_bytes()[:-1])  # this part is not what its entry says
    scoring.run(catalogue, broken)
    assert len(scoring.done) == 8 - 2
    assert content(broken) == content(tmp_path / "whole" / out)
    assert not place.exists() or not broken.suffix


@pytest.mark.parametrize(
    ("change", "what"),
    [("input", "another input"), ("top", "another answers"), ("rows", "another rows of a shard"),
     ("format", "another format")],
)  # fmt: skip
def test_the_journal_of_another_run_is_refused(
    scoring: Scoring, catalogue: Path, tmp_path: Path, change: str, what: str
) -> None:
    scoring.run(catalogue, tmp_path / "parts")
    other = tmp_path / "other.csv"
    other.write_bytes(catalogue.read_bytes() + b"301,Lampe,,,,10\n")
    with pytest.raises(JobError, match=f"holds the journal of a run with {what}: name another output, or remove"):
        scoring.run(
            other if change == "input" else catalogue, tmp_path / "parts",
            top=2 if change == "top" else 1, rows=9 if change == "rows" else 40,
            format="csv" if change == "format" else "parquet",
        )  # fmt: skip


@pytest.mark.parametrize("out", ["out.csv", "parts"])
def test_a_run_that_is_complete_is_not_repeated(scoring: Scoring, catalogue: Path, tmp_path: Path, out: str) -> None:
    first = scoring.run(catalogue, tmp_path / out)
    before = sorted(tmp_path.rglob("*"))
    assert scoring.run(catalogue, tmp_path / out) == first
    assert scoring.done == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_that_was_killed_before_its_parts_were_removed_is_complete(
    scoring: Scoring, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scoring.run(catalogue, tmp_path / "whole.csv")
    for lost in ("remove", "write"):  # at the very end; and before it is noted that the output is complete
        out = tmp_path / f"{lost}.csv"
        with monkeypatch.context() as patch:
            patch.setattr(Place, lost, interrupted_at(f"{out.name}.run.json", getattr(Place, lost)))
            with pytest.raises(Interrupted):
                scoring.run(catalogue, out)
        assert out.exists()
        assert scoring.run(catalogue, out) == whole
        assert scoring.done == []
        assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
        assert not Path(f"{out}.parts").exists()


def interrupted_at(name: str, method: Callable[..., None]) -> Callable[..., None]:
    """A method of a place that ends the run when everything is removed, or when this name is written."""

    def instead(place: Place, *arguments: object) -> None:
        if not arguments or arguments[0] == name:
            raise Interrupted
        method(place, *arguments)

    return instead


def test_an_output_is_never_made_without_a_part(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    def losing(job: Job, task: Task, shards: Iterable[Shard]) -> Iterator[Entry]:
        yield from here(job, task, shards)
        job.place.remove("part-00000003.csv")

    with pytest.raises(JobError, match=r"part-00000003\.csv is not as it was written: run the same command again"):
        scoring.run(catalogue, tmp_path / "out.csv", engine=losing)
    assert not (tmp_path / "out.csv").exists()
    assert scoring.run(catalogue, tmp_path / "out.csv").rows == 300
    assert scoring.done == [3]


def test_a_folder_of_answers_is_read_as_one_table(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    scoring.run(catalogue, tmp_path / "parts")
    assert len(pd.read_parquet(tmp_path / "parts")) == 300


def test_what_a_run_was_is_kept_beside_its_output(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    scoring.run(catalogue, tmp_path / "out.csv")
    record = json.loads((tmp_path / "out.csv.run.json").read_text())
    assert record["run"]["model"] == "rakuten:7"
    assert record["run"]["input"][0][2] == hashlib.sha256(catalogue.read_bytes()).hexdigest()
    assert (record["outcome"]["rows"], sum(record["outcome"]["types"].values())) == (300, 300)


def test_an_output_that_is_there_is_never_overwritten(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    for out, text in (("out.csv", "exists already: name another output"), ("folder", "is not empty")):
        with pytest.raises(JobError, match=text):
            scoring.run(catalogue, tmp_path / out)


def test_two_runs_on_one_output_are_one_too_many(scoring: Scoring, catalogue: Path, tmp_path: Path) -> None:
    used = r"parts is used by 'the first run' \(process .*wait for it, or name another output"
    with held(Place(str(tmp_path / "parts")), "the first run"), pytest.raises(OccupiedError, match=used):
        scoring.run(catalogue, tmp_path / "parts")
