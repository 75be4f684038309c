"""A real MLflow with SQLite."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest


@pytest.fixture
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty tracker of this test. It returns a folder for the test's files."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow writes the address there; undone after the test
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    yield tmp_path
    mlflow.set_tracking_uri(None)
