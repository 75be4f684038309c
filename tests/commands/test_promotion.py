"""Which trained models are promoted, in several runs on the same state."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml

import run
from catalog.synthetic import generate
from catalog.taxonomy import RAKUTEN
from pipelines.config import DEFAULT
from tracking import registry
from tracking.promotion_log import read_entries
from tracking.registry import PRODUCTION
from tracking.training_record import read_record

pytestmark = pytest.mark.system  # each test trains several times
Shop = Callable[..., dict[str, Any]]
NAME = "promotion-shop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every test has its listings."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def shop(folder: Path, tmp_path: Path) -> Iterator[Shop]:
    """A catalogue without versions: `shop(rows)` trains on its first rows and returns the outcome.

    Its name and its folder are the same in every test. So the steps that the tests have in common are cached.
    """
    taxonomy = tmp_path / f"{NAME}.csv"

    def train(rows: int, *arguments: str, labels: dict[int, str] | None = None, seed: int = 0) -> dict[str, Any]:
        types = dict(RAKUTEN.labels) if labels is None else labels
        pd.DataFrame({"code": list(types), "label": list(types.values())}).to_csv(taxonomy, index=False)
        frame = generate(5_000, seed).head(rows).set_index("index").rename_axis(None)
        frame[["designation", "description", "productid", "imageid"]].to_csv(folder / "X_train.csv")
        frame[["prdtypecode"]].to_csv(folder / "Y_train.csv")
        report = tmp_path / "outcome.json"
        code = run.main(
            ["train", "--data", str(folder), "--taxonomy", str(taxonomy), "--json", str(report), *arguments]
        )
        return {**json.loads(report.read_text()), "code": code, "name": NAME}

    yield train
    forget_versions()


def forget_versions() -> None:
    """Remove the versions from MLflow, ZenML and BentoML. The cached steps stay."""
    import bentoml
    from zenml.client import Client

    from stacks.active import connect_tracker

    connect_tracker()
    client = mlflow.MlflowClient()
    for entry in read_entries(NAME):
        client.delete_run(entry.run_id)
    if client.search_registered_models(f"name = '{NAME}'"):
        client.delete_registered_model(NAME)
    for model in Client().list_models(name=NAME).items:
        Client().delete_model(model.id)
    for bento in bentoml.list():
        if bento.tag.name == NAME:
            bentoml.delete(bento.tag)


def production(outcome: dict[str, Any]) -> str | None:
    from stacks.active import connect_tracker

    connect_tracker()
    version = registry.by_alias(outcome["name"], PRODUCTION)
    return version.number if version else None


def test_a_much_better_challenger_is_promoted_and_the_same_data_does_not_undo_a_rollback(
    shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from zenml.client import Client

    first, second = shop(1_000), shop(5_000)
    assert (first["promoted"], second["promoted"]) == (True, True), second["reason"]
    assert second["champion_weighted_f1"] < second["weighted_f1"]
    assert "of version 1 on the same" in second["reason"]
    assert production(second) == second["model_version"] == "2"
    mirror = Client().get_model_version(second["name"], "production")
    assert mirror.run_metadata["mlflow_version"] == "2"
    zenml_run = Client().list_pipeline_runs(sort_by="desc:created", size=1).items[0]
    came_of_it = zenml_run.run_metadata
    assert (came_of_it["promoted"], came_of_it["reason"]) == ("yes", second["reason"])
    assert came_of_it["version in production"] == "2"
    assert came_of_it["Bento in production"] == f"tag {second['bento_tag']}"
    assert came_of_it["weighted F1"] == pytest.approx(second["weighted_f1"], abs=1e-4)
    assert "promoted" in {tag.name for tag in zenml_run.tags}
    made = [output.name for step in zenml_run.steps.values() for outputs in step.outputs.values() for output in outputs
            if "page" in {tag.name for tag in output.tags}]  # fmt: skip
    assert sorted(came_of_it["pages"].split(", ")) == sorted(made)

    rollback = ["rollback", "--taxonomy", str(tmp_path / f"{NAME}.csv")]
    assert run.main(rollback) == 0
    assert production(second) == "1"
    outcome = shop(5_000)
    assert outcome["data_hash"] == second["data_hash"] != first["data_hash"]
    assert outcome["promoted"] is False
    assert production(outcome) == outcome["model_version"] == "1"
    capfd.readouterr()
    assert run.main(rollback) == 1
    assert f"version 1 is the first of model '{NAME}' in production" in capfd.readouterr().err


def test_the_tracker_stores_how_a_version_was_trained(shop: Shop) -> None:
    outcome = shop(1_000)
    assert production(outcome) == "1"
    version = mlflow.MlflowClient().get_model_version(outcome["name"], "1")
    tracked = mlflow.get_run(version.tags["run_id"])
    assert tracked.data.params["candidate"] == "blend"
    assert tracked.data.params["solver"] == "blend"
    assert tracked.data.params["block_0.field"] == "both"
    assert tracked.data.metrics["candidates.sgd_logistic.validation_weighted_f1"] > 0
    assert tracked.data.metrics["test.weighted_f1"] == pytest.approx(outcome["weighted_f1"])
    assert tracked.data.tags["data_hash"] == outcome["data_hash"]
    assert tracked.data.tags["mlflow.source.git.commit"]
    assert tracked.data.tags["lock_file"] == "requirements.lock"
    record = read_record(tracked.info.run_id)
    assert record is not None
    assert (record.data_hash, record.champion, len(record.code)) == (outcome["data_hash"], None, 64)
    assert record.recipe["parameters"]["candidates"]["blend"]["solver"] == "blend"
    assert record.recipe["parameters"]["promotion"]["resamples"] == 2_000
    assert record.source.directory
    assert Path(record.listings.uri).is_file()
    model = mlflow.models.get_model_info(version.source)
    assert model.signature.inputs.input_names() == ["designation", "description"]
    assert model.saved_input_example_info
    assert model.flavors["sklearn"]["serialization_format"] == "skops"
    folder = Path(mlflow.artifacts.download_artifacts(version.source))
    assert not [path.name for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    evaluation = mlflow.MlflowClient().list_artifacts(tracked.info.run_id, "evaluation")
    assert {Path(file.path).suffix for file in evaluation} == {".json", ".html", ".svg"}


def test_a_worse_challenger_is_not_promoted_and_a_repetition_changes_nothing(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    shop(5_000)
    outcome = shop(1_000)
    assert outcome["promoted"] is False
    scores = f"weighted F1 {outcome['weighted_f1']:.3f} against {outcome['champion_weighted_f1']:.3f} of version 1"
    assert outcome["reason"].startswith(scores)
    assert "a loss of more than 0.01 cannot be ruled out" in outcome["reason"]
    assert production(outcome) == outcome["model_version"] == "1"
    assert registry.by_alias(outcome["name"], registry.CHALLENGER).number == "2"  # type: ignore[union-attr]

    capfd.readouterr()
    again = shop(1_000)
    printed = capfd.readouterr().out
    assert again["promoted"] is False
    assert "same data and code as version 2" in again["reason"]
    assert again["bento_tag"] == outcome["bento_tag"]
    assert production(again) == again["model_version"] == "1"
    for step in ("ingest_listings", "consolidate_listings", "train_classifier", "evaluate_classifier"):
        assert f"{step:<26} nothing changed" in printed


def test_another_target_precision_takes_effect_and_leaves_the_evaluation_of_the_version_in_production(
    shop: Shop, tmp_path: Path
) -> None:
    first = shop(1_000)
    before = evaluation_of("1")
    config = tmp_path / "bolder.yaml"
    default = Path(run.__file__).parent / "pipelines" / "configs" / "training.yaml"
    config.write_text(default.read_text().replace("target_precision: 0.95", "target_precision: 0.6"))
    refused = shop(1_000, "--config", str(config))
    assert "same data and code" not in refused["reason"]
    promoted = shop(1_000, "--config", str(config), "--new-baseline")
    assert (promoted["promoted"], promoted["model_version"]) == (True, "2")
    assert evaluation_of("1") == before
    assert evaluation_of("2")["threshold"] != before["threshold"]
    assert first["data_hash"] == promoted["data_hash"]


def evaluation_of(number: str) -> dict[str, Any]:
    version = registry.by_number(NAME, number)
    evaluation: dict[str, Any] = mlflow.artifacts.load_dict(
        f"runs:/{version.evaluation_run}/evaluation/evaluation.json"
    )
    return evaluation


def test_a_first_model_below_the_minimum_scores_is_not_promoted(shop: Shop, tmp_path: Path) -> None:
    config = tmp_path / "strict.yaml"
    default = Path(run.__file__).parent / "pipelines" / "configs" / "training.yaml"
    config.write_text(default.read_text().replace("minimum_weighted_f1: 0.5", "minimum_weighted_f1: 0.99"))
    outcome = shop(1_000, "--config", str(config))
    assert (outcome["code"], outcome["promoted"]) == (0, False)
    assert "miss the minimum" in outcome["reason"]
    assert (outcome["model_version"], outcome["bento_tag"]) == (None, None)


def test_after_a_change_of_the_taxonomy_a_new_baseline_is_needed(shop: Shop) -> None:
    shop(1_000)
    labels = dict(RAKUTEN.labels) | {10: "Old books"}
    outcome = shop(1_000, labels=labels)
    assert outcome["promoted"] is False
    assert "--new-baseline" in outcome["reason"]
    assert production(outcome) == "1"
    outcome = shop(1_000, "--new-baseline", labels=labels)
    assert outcome["promoted"] is True
    assert "a new baseline was asked for" in outcome["reason"]
    assert production(outcome) == outcome["model_version"] != "1"


def test_a_damaged_model_is_named_where_it_is_the_champion_and_where_it_is_cached(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    first = shop(1_000, seed=9)  # its own listings: the model is damaged for all runs that share its cache
    production(first)
    champion = registry.by_alias(first["name"], PRODUCTION)
    assert champion is not None
    model = mlflow.get_logged_model(champion.source.removeprefix("models:/")).artifact_location
    (Path(model.removeprefix("file://").removeprefix("file:")) / "model.skops").write_bytes(b"not a model")
    outcome = shop(1_000)
    assert (outcome["code"], outcome["promoted"]) == (0, False)
    assert "version 1 could not be read" in outcome["reason"]
    assert production(outcome) == "1"

    capfd.readouterr()
    cached = shop(1_000, "--new-baseline", labels=dict(RAKUTEN.labels) | {10: "Old books"}, seed=9)
    assert cached["code"] == 1
    assert "cannot be loaded" in capfd.readouterr().err
    assert production(outcome) == "1"
    assert shop(1_000, "--no-cache", seed=9)["code"] == 0


def test_a_bento_with_other_answers_than_the_model_is_not_promoted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import bentoml

    from catalog.predictor import Predictor

    shop(1_000)
    with monkeypatch.context() as broken:
        honest = Predictor.probabilities
        broken.setattr(Predictor, "probabilities", lambda self, *listing: honest(self, *listing)[::-1])
        outcome = shop(5_000)
    assert outcome["code"] == 1
    assert "the answers of the packaged and the trained model differ" in capfd.readouterr().err
    assert production(outcome) == "1"
    assert [bento.tag.version[0] for bento in bentoml.list(outcome["name"])] == ["1"]
    again = shop(5_000)  # the next run continues from there
    assert (again["promoted"], production(again)) == (True, "2")


def test_a_version_put_into_production_during_the_run_is_not_replaced(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import bento.build

    shop(1_000)
    honest = bento.build.check_parity

    def check(*arguments: Any) -> None:
        honest(*arguments)
        mlflow.MlflowClient().delete_registered_model_alias(NAME, PRODUCTION)  # between comparison and promotion

    monkeypatch.setattr(bento.build, "check_parity", check)
    outcome = shop(5_000)
    assert (outcome["code"], outcome["promoted"], outcome["model_version"]) == (0, False, None)
    assert outcome["reason"] == "production was left without a version meanwhile; run again"


def fill_ledger(path: Path, name: str, rows: list[tuple[str, int, str, str]]) -> None:
    """Rows of (title, code, user, role)."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    from ledger.tables import Base, FeedbackRow, PredictionRow

    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    now = datetime.now(UTC)
    with Session(engine) as session:
        for number, (title, code, user, role) in enumerate(rows):
            prediction = PredictionRow(
                id=str(number), user_id=user, designation=title, description=None, predicted_code=10, confidence=0.4,
                abstained=False, language="fr", model_name=name, model_version="1", created_at=now,
            )  # fmt: skip
            feedback = FeedbackRow(prediction_id=str(number), correct_code=code, given_by=user, role=role, given_at=now)
            session.add_all([prediction, feedback])
        session.commit()


def test_many_wrong_labels_of_one_user_do_not_change_production(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.client import Client

    clean = shop(1_000)
    flood = [(f"titre inventé {number}", 1940, "mallory", "user") for number in range(1_000)]
    fill_ledger(tmp_path / "ledger.db", clean["name"], flood)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    poisoned = shop(1_000)
    latest = Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items[0]
    profile = latest.steps["consolidate_listings"].outputs["data_profile"][0].load()
    listings = latest.steps["consolidate_listings"].outputs["listings"][0].load()
    train = listings[(listings["split"] == "train") & (listings["prdtypecode"] == 1940)]
    assert profile.feedback.user == len(train) // 5  # the share of all users
    assert profile.feedback.user + profile.feedback.user_over_the_share == 200  # the cap of one user
    assert profile.feedback.users_at_the_cap == 1
    assert set(listings.loc[listings["origin"] == "user", "split"]) == {"train"}
    assert poisoned["data_hash"] != clean["data_hash"]
    assert poisoned["promoted"] is False
    assert production(poisoned) == "1"


def test_reviewed_feedback_enters_every_split(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zenml.client import Client

    first = shop(1_000)
    reviewed = [(f"piscine {number} hors sol", 2583, "rita", "reviewer") for number in range(300)]
    fill_ledger(tmp_path / "ledger.db", first["name"], reviewed)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    outcome = shop(1_000)
    assert outcome["rows"] == first["rows"] + 300
    latest = Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items[0]
    listings = latest.steps["consolidate_listings"].outputs["listings"][0].load()
    assert set(listings.loc[listings["origin"] == "reviewed", "split"]) == {"train", "validation", "test"}


def test_a_training_can_leave_out_the_labels_that_are_surely_wrong(shop: Shop, tmp_path: Path) -> None:
    from zenml.client import Client

    config = yaml.safe_load(DEFAULT.read_text())
    config["audit"] = {"in_training": "drop", "folds": 2, "sure": 0.2}
    config["candidates"] = {"words": {"blocks": [{"field": "title", "kind": "words"}]}}
    (tmp_path / "drop.yaml").write_text(yaml.safe_dump(config))
    outcome = shop(1_000, "--config", str(tmp_path / "drop.yaml"))
    latest = Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items[0]
    assert latest.steps["train_classifier"].inputs["listings"][0].name == "listings_to_train"
    made = latest.steps["audit_labels"].outputs
    to_train, suspects = made["listings_to_train"][0].load(), made["label_suspects"][0].load()
    assert suspects["sure"].any()
    assert len(to_train) == outcome["rows"] - suspects["sure"].sum()
    assert not suspects["text_key"][suspects["sure"]].isin(to_train["text_key"]).any()


def test_a_broken_ledger_stops_the_run_and_is_named(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "ledger.db"
    broken.write_bytes(b"not a database, but long enough to be taken for one" * 10)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{broken}")
    assert shop(1_000)["code"] == 1
    assert f"the ledger at sqlite:///{broken} cannot be read" in capfd.readouterr().err
