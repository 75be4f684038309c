"""The options that `run.py watch` passes to a training."""

from pathlib import Path

import pytest

import run
from commands.watch import _training_options


def test_paths_of_a_retraining_begin_where_watch_was_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    options = run._parse(["watch", "--", "--data", "my shop", "--config=rules.yaml", "--no-cache"])
    words = _training_options(options)
    monkeypatch.chdir("/")
    read = run._parse(["train", *words])
    assert (read.data, read.config, read.no_cache) == (tmp_path / "my shop", tmp_path / "rules.yaml", True)


def test_absolute_paths_and_defaults_stay() -> None:
    options = run._parse(["watch", "--", "--data", "/srv/shop"])
    assert _training_options(options) == ["--data", "/srv/shop"]
