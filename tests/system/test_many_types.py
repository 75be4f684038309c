"""A catalogue with 300 types: it is trained on, served and scored as one with 27."""

import signal
from pathlib import Path

import httpx
import pandas as pd
import pytest
import yaml

from benchmarks.quality_sets import with_many_types
from pipelines.config import DEFAULT
from tests.system.service import serving
from tests.system.snapshots import train
from tests.system.workspace import LIMIT, Workspace

pytestmark = pytest.mark.system
_PAGE = 400_000  # bytes: with 297 types it has 140,000


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    return with_many_types(300, 2_500).listings.reset_index(drop=True)


@pytest.fixture(scope="module")
def files(listings: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The listings, their taxonomy, and a configuration with one candidate that promotes whatever the score is."""
    folder = tmp_path_factory.mktemp("many") / "shop"
    folder.mkdir()
    listings[["designation", "description", "productid", "imageid"]].to_csv(folder / "X_train.csv")
    listings[["prdtypecode"]].to_csv(folder / "Y_train.csv")
    codes = sorted(listings["prdtypecode"].unique())
    pd.DataFrame({"code": codes, "label": [f"Type {code}" for code in codes]}).to_csv(
        folder / "taxonomy.csv", index=False
    )
    parameters = yaml.safe_load(DEFAULT.read_text())
    parameters["candidates"] = {"blend": parameters["candidates"]["blend"]}
    parameters["promotion"] |= {"minimum_weighted_f1": 0.01, "minimum_macro_f1": 0.01}
    (folder / "training.yaml").write_text(yaml.safe_dump(parameters))
    return folder


def test_300_types_are_trained_served_and_scored(
    files: Path, listings: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("types"))
    taxonomy = ("--taxonomy", str(files / "taxonomy.csv"))
    outcome = train(workspace, "--data", str(files), *taxonomy, "--config", str(files / "training.yaml"))
    assert outcome["promoted"] is True
    pages = list(workspace.state.rglob("evaluation.html"))
    assert pages
    assert all(page.stat().st_size < _PAGE for page in pages)

    answers = workspace.folder / "answers.csv"
    done = workspace.run("score", str(files / "X_train.csv"), str(answers), *taxonomy)
    assert done.returncode == 0, done.stderr
    scored = pd.read_csv(answers).set_index("id")
    right = scored["code"] == listings["prdtypecode"]
    learned = listings["split"] == "train"
    assert right[learned].mean() > 0.7
    assert right[~learned].mean() > 10 / 297  # ten times as often as by chance

    with serving(workspace, *taxonomy) as service:
        service.wait_for_version("1")
        token = service.token()
        listing = listings.loc[0, ["designation", "description"]].dropna().to_dict()
        assert service.ask(listing, token).json()["predicted_code"] == scored.loc[0, "code"]
        model = httpx.get(f"{service.url}/model-info", headers={"token": token}, timeout=LIMIT).json()
        assert len(model["taxonomy"]) == listings["prdtypecode"].nunique() > 290
        service.end(signal.SIGINT)
