"""The configuration files: an unknown key anywhere is an error that names the file and the key."""

from pathlib import Path

import pytest
import yaml

from pipelines.config import ConfigurationError, MonitoringConfig, RetentionConfig, TrainingConfig
from tests.conftest import ROOT

CONFIGS = ROOT / "pipelines" / "configs"


@pytest.mark.parametrize(
    ("config", "file", "key"),
    [
        (TrainingConfig, "training.yaml", "sise"),
        (TrainingConfig, "training.yaml", "consolidation.max_feedback"),
        (TrainingConfig, "training.yaml", "audit.fold"),
        (TrainingConfig, "training.yaml", "promotion.margn"),
        (TrainingConfig, "training.yaml", "candidates.blend.c"),
        (MonitoringConfig, "monitoring.yaml", "windows"),
        (MonitoringConfig, "monitoring.yaml", "window.day"),
        (MonitoringConfig, "monitoring.yaml", "drift.minimum_row"),
        (MonitoringConfig, "monitoring.yaml", "quality.margin"),
        (RetentionConfig, "retention.yaml", "monitoring.day"),
    ],
)
def test_an_unknown_key_is_an_error(
    config: type[TrainingConfig | MonitoringConfig | RetentionConfig], file: str, key: str, tmp_path: Path
) -> None:
    content = yaml.safe_load((CONFIGS / file).read_text())
    *sections, name = key.split(".")
    part = content
    for section in sections:
        part = part[section]
    part[name] = 1
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigurationError, match=f"mine.yaml: {key}: Extra inputs are not permitted"):
        config.read(path)


@pytest.mark.parametrize(("config", "file"), [(TrainingConfig, "training.yaml"), (MonitoringConfig, "monitoring.yaml")])
def test_the_files_that_are_used_by_default_are_valid(
    config: type[TrainingConfig | MonitoringConfig], file: str
) -> None:
    assert config.read(CONFIGS / file).seed == 0


def test_the_rules_of_retention_in_the_file_are_those_without_a_file() -> None:
    assert RetentionConfig.read(CONFIGS / "retention.yaml") == RetentionConfig()
